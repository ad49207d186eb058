;; The largest number of every row, by 128-bit vectors.
;;
;; For `_simd.py`, which says what the arguments are. The words in capitals differ between float32 and
;; float64; `runtime_tools/loops.py` has both. All lengths are in bytes.
(module
  (import "env" "memory" (memory 0))
  (func (export "row_max")
    (param $rows i32) (param $width i32) (param $s i32) (param $s_row i32) (param $out i32)
    (local $at i32) (local $end i32) (local $most v128)
    (loop $down
      (local.set $at (local.get $s))
      (local.set $end (i32.add (local.get $s) (local.get $width)))
      (local.set $most (v128.loadBITS_splat align=1 (local.get $s)))
      (loop $along
        ;; What is left of a row beside its whole vectors is done one number at a time.
        (if (i32.le_u (i32.add (local.get $at) (i32.const 16)) (local.get $end))
          (then
            (local.set $most (LANES.pmax (local.get $most) (v128.load align=1 (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 16))))
          (else
            (local.set $most (LANES.pmax (local.get $most) (v128.loadBITS_splat align=1 (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const ITEM)))))
        (br_if $along (i32.lt_u (local.get $at) (local.get $end))))
      ;; Of the lanes: turned by half a vector, then by one number.
      (local.set $most
        (LANES.pmax
          (local.get $most)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $most) (local.get $most))))
      (local.set $most
        (LANES.pmax (local.get $most) (i8x16.shuffle TURN (local.get $most) (local.get $most))))
      (v128.storeBITS_lane align=1 0 (local.get $out) (local.get $most))
      (local.set $out (i32.add (local.get $out) (i32.const ITEM)))
      (local.set $s (i32.add (local.get $s) (local.get $s_row)))
      (br_if $down (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))

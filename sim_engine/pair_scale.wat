;; Every number of a matrix times the sum of two shares, its row's and its column's, by 128-bit vectors.
;;
;; For `_simd.py`, which says what the arguments are. The words in capitals differ between float32 and
;; float64; `runtime_tools/loops.py` has both. All lengths are in bytes.
(module
  (import "env" "memory" (memory 0))
  (func (export "pair_scale")
    (param $rows i32) (param $width i32) (param $s i32) (param $s_row i32) (param $of_row i32) (param $shares i32)
    (local $at i32) (local $end i32) (local $from i32) (local $step i32) (local $share v128)
    (loop $down
      (local.set $share (v128.loadBITS_splat align=1 (local.get $of_row)))
      (local.set $at (local.get $s))
      (local.set $from (local.get $shares))
      (local.set $end (i32.add (local.get $s) (local.get $width)))
      (loop $along
        ;; What is left of a row beside its whole vectors is done one number at a time.
        (if (i32.le_u (i32.add (local.get $at) (i32.const 16)) (local.get $end))
          (then
            (local.set $step (i32.const 16))
            (v128.store align=1
              (local.get $at)
              (LANES.mul
                (v128.load align=1 (local.get $at))
                (LANES.add (local.get $share) (v128.load align=1 (local.get $from))))))
          (else
            (local.set $step (i32.const ITEM))
            (v128.storeBITS_lane align=1 0
              (local.get $at)
              (LANES.mul
                (v128.loadBITS_splat align=1 (local.get $at))
                (LANES.add (local.get $share) (v128.loadBITS_splat align=1 (local.get $from)))))))
        (local.set $from (i32.add (local.get $from) (local.get $step)))
        (br_if $along
          (i32.lt_u (local.tee $at (i32.add (local.get $at) (local.get $step))) (local.get $end))))
      (local.set $of_row (i32.add (local.get $of_row) (i32.const ITEM)))
      (local.set $s (i32.add (local.get $s) (local.get $s_row)))
      (br_if $down (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))

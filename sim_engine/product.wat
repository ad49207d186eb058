;; A tile of the matrix product C = AB, by the 128-bit vectors that NumPy's wasm build does without.
;;
;; For `_simd.py`, which says what the arguments are. The words in capitals are those of
;; `runtime_tools/loops.py`: BITS differs between float32 and float64, and (MADD x y z) is xy + z, rounded
;; once or twice. All lengths are in bytes, and a vector has 16 of them either way. A tile has 4 rows
;; and 32 bytes of columns. The last tile of a row or column reaches back over the one before it and
;; writes the same numbers there once more.
(module
  (import "env" "memory" (memory 0))
  (func (export "product")
    (param $rows i32) (param $width i32) (param $terms i32)
    (param $a i32) (param $a_row i32) (param $a_column i32)
    (param $b i32) (param $b_row i32)
    (param $c i32) (param $c_row i32)
    (local $i i32) (local $j i32) (local $left i32) (local $out i32)
    (local $a0 i32) (local $a1 i32) (local $a2 i32) (local $a3 i32) (local $from i32)
    (local $b0 v128) (local $b1 v128) (local $s v128)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (loop $down
      (if (i32.gt_s (local.get $i) (i32.sub (local.get $rows) (i32.const 4)))
        (then (local.set $i (i32.sub (local.get $rows) (i32.const 4)))))
      (local.set $j (i32.const 0))
      (loop $across
        (if (i32.gt_s (local.get $j) (i32.sub (local.get $width) (i32.const 32)))
          (then (local.set $j (i32.sub (local.get $width) (i32.const 32)))))
        (local.set $a0 (i32.add (local.get $a) (i32.mul (local.get $i) (local.get $a_row))))
        (local.set $a1 (i32.add (local.get $a0) (local.get $a_row)))
        (local.set $a2 (i32.add (local.get $a1) (local.get $a_row)))
        (local.set $a3 (i32.add (local.get $a2) (local.get $a_row)))
        (local.set $from (i32.add (local.get $b) (local.get $j)))
        (local.set $c00 (v128.const i64x2 0 0)) (local.set $c01 (v128.const i64x2 0 0))
        (local.set $c10 (v128.const i64x2 0 0)) (local.set $c11 (v128.const i64x2 0 0))
        (local.set $c20 (v128.const i64x2 0 0)) (local.set $c21 (v128.const i64x2 0 0))
        (local.set $c30 (v128.const i64x2 0 0)) (local.set $c31 (v128.const i64x2 0 0))
        (local.set $left (local.get $terms))
        (loop $along
          (local.set $b0 (v128.load align=1 (local.get $from)))
          (local.set $b1 (v128.load offset=16 align=1 (local.get $from)))
          (local.set $s (v128.loadBITS_splat align=1 (local.get $a0)))
          (local.set $c00 (MADD (local.get $s) (local.get $b0) (local.get $c00)))
          (local.set $c01 (MADD (local.get $s) (local.get $b1) (local.get $c01)))
          (local.set $s (v128.loadBITS_splat align=1 (local.get $a1)))
          (local.set $c10 (MADD (local.get $s) (local.get $b0) (local.get $c10)))
          (local.set $c11 (MADD (local.get $s) (local.get $b1) (local.get $c11)))
          (local.set $s (v128.loadBITS_splat align=1 (local.get $a2)))
          (local.set $c20 (MADD (local.get $s) (local.get $b0) (local.get $c20)))
          (local.set $c21 (MADD (local.get $s) (local.get $b1) (local.get $c21)))
          (local.set $s (v128.loadBITS_splat align=1 (local.get $a3)))
          (local.set $c30 (MADD (local.get $s) (local.get $b0) (local.get $c30)))
          (local.set $c31 (MADD (local.get $s) (local.get $b1) (local.get $c31)))
          (local.set $a0 (i32.add (local.get $a0) (local.get $a_column)))
          (local.set $a1 (i32.add (local.get $a1) (local.get $a_column)))
          (local.set $a2 (i32.add (local.get $a2) (local.get $a_column)))
          (local.set $a3 (i32.add (local.get $a3) (local.get $a_column)))
          (local.set $from (i32.add (local.get $from) (local.get $b_row)))
          (br_if $along (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (local.set $out
          (i32.add (i32.add (local.get $c) (i32.mul (local.get $i) (local.get $c_row))) (local.get $j)))
        (v128.store align=1 (local.get $out) (local.get $c00))
        (v128.store offset=16 align=1 (local.get $out) (local.get $c01))
        (local.set $out (i32.add (local.get $out) (local.get $c_row)))
        (v128.store align=1 (local.get $out) (local.get $c10))
        (v128.store offset=16 align=1 (local.get $out) (local.get $c11))
        (local.set $out (i32.add (local.get $out) (local.get $c_row)))
        (v128.store align=1 (local.get $out) (local.get $c20))
        (v128.store offset=16 align=1 (local.get $out) (local.get $c21))
        (local.set $out (i32.add (local.get $out) (local.get $c_row)))
        (v128.store align=1 (local.get $out) (local.get $c30))
        (v128.store offset=16 align=1 (local.get $out) (local.get $c31))
        (br_if $across
          (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 32))) (local.get $width))))
      (br_if $down
        (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $rows))))))

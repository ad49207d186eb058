;; Rows of exp((s - m)/tau) in place, and their sums, by the 128-bit vectors that NumPy's wasm build does without.
;;
;; For `_simd.py`, which says what the arguments are. The words in capitals differ between float32 and
;; float64; `runtime_tools/loops.py` has both, and (MADD x y z) is xy + z, rounded once or twice. All
;; lengths are in bytes, and a vector has 16 of them either way.
;;
;; exp(x) = 2^n exp(r) with n the whole number nearest to x / log 2 and |r| <= log(2)/2. Adding MAGIC,
;; 1.5 times a power of 2 whose last bit is worth 1, rounds to n and leaves it in the lowest bits. log 2 is
;; HIGH + LOW, HIGH so short that n HIGH is exact. The series of exp(r) ends where its terms stop to
;; count. 2^n is multiplied in two halves, so that results below the least normal number are right too.
(module
  (import "env" "memory" (memory 0))
  (func (export "exponential")
    (param $rows i32) (param $width i32) (param $s i32) (param $s_row i32)
    (param $m i32) (param $inverse i32) (param $sums i32)
    (local $at i32) (local $end i32) (local $block i32) (local $step i32)
    (local $shift v128) (local $scale v128) (local $part v128) (local $sum v128)
    (local $x v128) (local $n v128) (local $r v128) (local $p v128) (local $q v128) (local $half v128)
    (local.set $scale (v128.loadBITS_splat (local.get $inverse)))
    (loop $down
      (local.set $shift (v128.loadBITS_splat (local.get $m)))
      (local.set $sum (v128.const i64x2 0 0))
      (local.set $at (local.get $s))
      (local.set $end (i32.add (local.get $s) (local.get $width)))
      (loop $across
        ;; Sums of 64 vectors each, then the sum of those: fewer roundings in a row.
        (local.set $part (v128.const i64x2 0 0))
        (local.set $block (i32.add (local.get $at) (i32.const 1024)))
        (if (i32.gt_u (local.get $block) (local.get $end)) (then (local.set $block (local.get $end))))
        (loop $along
          ;; What is left of a row beside its whole vectors is done one number at a time.
          (if (i32.le_u (i32.add (local.get $at) (i32.const 16)) (local.get $block))
            (then
              (local.set $step (i32.const 16))
              (local.set $x (v128.load align=1 (local.get $at))))
            (else
              (local.set $step (i32.const ITEM))
              (local.set $x (v128.loadBITS_splat align=1 (local.get $at)))))
          (local.set $x (LANES.mul (LANES.sub (local.get $x) (local.get $shift)) (local.get $scale)))
          (local.set $x (LANES.pmin (LANES.pmax (local.get $x) (ALL LEAST)) (ALL MOST)))
          (local.set $n (MADD (local.get $x) (ALL LOG2E) (ALL MAGIC)))
          (local.set $r (LANES.sub (local.get $n) (ALL MAGIC)))
          (local.set $n (INTS.sub (local.get $n) (ALL MAGIC)))
          (local.set $r
            (LANES.sub
              (LANES.sub (local.get $x) (LANES.mul (local.get $r) (ALL HIGH)))
              (LANES.mul (local.get $r) (ALL LOW))))
          SERIES
          (local.set $half (INTS.shr_s (local.get $n) (i32.const 1)))
          (local.set $n (INTS.sub (local.get $n) (local.get $half)))
          (local.set $half (INTS.shl (INTS.add (local.get $half) (EACH BIAS)) (i32.const FRACTION)))
          (local.set $n (INTS.shl (INTS.add (local.get $n) (EACH BIAS)) (i32.const FRACTION)))
          (local.set $p (LANES.mul (LANES.mul (local.get $p) (local.get $half)) (local.get $n)))
          (if (i32.eq (local.get $step) (i32.const 16))
            (then (v128.store align=1 (local.get $at) (local.get $p)))
            (else
              (v128.storeBITS_lane align=1 0 (local.get $at) (local.get $p))
              (local.set $p (v128.and (local.get $p) (v128.const i32x4 FIRST)))))
          (local.set $part (LANES.add (local.get $part) (local.get $p)))
          (br_if $along
            (i32.lt_u (local.tee $at (i32.add (local.get $at) (local.get $step))) (local.get $block))))
        (local.set $sum (LANES.add (local.get $sum) (local.get $part)))
        (br_if $across (i32.lt_u (local.get $at) (local.get $end))))
      (v128.store align=1 (local.get $sums) (local.get $sum))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (local.set $s (i32.add (local.get $s) (local.get $s_row)))
      (local.set $m (i32.add (local.get $m) (i32.const ITEM)))
      (br_if $down (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))

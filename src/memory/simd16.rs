//! Sixteen bytes at once: an SSE2 register on x86-64, two words elsewhere. Thirty-two where the processor has AVX2.
#![expect(unsafe_code, reason = "reads through pointers")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128i, __m256i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
    _mm_setzero_si128, _mm_storeu_si128, _mm_xor_si128, _mm256_broadcastsi128_si256, _mm256_loadu_si256,
    _mm256_or_si256, _mm256_set_m128i, _mm256_testz_si256, _mm256_xor_si256,
};

/// Sixteen bytes.
#[derive(Clone, Copy)]
pub struct Simd16(#[cfg(target_arch = "x86_64")] __m128i, #[cfg(not(target_arch = "x86_64"))] [u64; 2]);

#[cfg(target_arch = "x86_64")]
impl Simd16 {
    /// Two words, as they lie in memory.
    #[inline(always)]
    pub fn new([first, second]: [u64; 2]) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        Self(unsafe { _mm_set_epi64x(second.cast_signed(), first.cast_signed()) })
    }

    /// Reads from an address.
    ///
    /// # Safety
    /// They may be read there.
    #[inline(always)]
    pub unsafe fn read(at: *const u8) -> Self {
        // SAFETY: by the contract of this function; SSE2 is part of x86-64, here and below.
        Self(unsafe { _mm_loadu_si128(at.cast()) })
    }

    /// Writes them to an address.
    ///
    /// # Safety
    /// They may be written there.
    #[inline(always)]
    pub unsafe fn write(self, at: *mut u8) {
        // SAFETY: by the contract of this function.
        unsafe { _mm_storeu_si128(at.cast(), self.0) };
    }

    /// The exclusive or of two.
    #[inline(always)]
    pub fn xor(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm_xor_si128(self.0, other.0) })
    }

    /// The or of two.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm_or_si128(self.0, other.0) })
    }

    /// Whether all bits are 0.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_setzero_si128())) == 0xffff }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Simd16 {
    /// Two words, as they lie in memory.
    #[inline(always)]
    pub fn new(words: [u64; 2]) -> Self {
        Self(words)
    }

    /// Reads from an address.
    ///
    /// # Safety
    /// They may be read there.
    #[inline(always)]
    pub unsafe fn read(at: *const u8) -> Self {
        // SAFETY: by the contract of this function.
        Self(unsafe { at.cast::<[u64; 2]>().read_unaligned() })
    }

    /// Writes them to an address.
    ///
    /// # Safety
    /// They may be written there.
    #[inline(always)]
    pub unsafe fn write(self, at: *mut u8) {
        // SAFETY: by the contract of this function.
        unsafe { at.cast::<[u64; 2]>().write_unaligned(self.0) };
    }

    /// The exclusive or of two.
    #[inline(always)]
    pub fn xor(self, other: Self) -> Self {
        Self([self.0[0] ^ other.0[0], self.0[1] ^ other.0[1]])
    }

    /// The or of two.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether all bits are 0.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 2]
    }
}

/// Thirty-two bytes, where the processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub struct Simd32(__m256i);

#[cfg(target_arch = "x86_64")]
impl Simd32 {
    /// Two times the same sixteen bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn twice(half: Simd16) -> Self {
        Self(_mm256_broadcastsi128_si256(half.0))
    }

    /// Sixteen bytes and sixteen others.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn both(low: Simd16, high: Simd16) -> Self {
        Self(_mm256_set_m128i(high.0, low.0))
    }

    /// Reads from an address.
    ///
    /// # Safety
    /// They may be read there.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn read(at: *const u8) -> Self {
        // SAFETY: by the contract of this function.
        Self(unsafe { _mm256_loadu_si256(at.cast()) })
    }

    /// The exclusive or of two.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn xor(self, other: Self) -> Self {
        Self(_mm256_xor_si256(self.0, other.0))
    }

    /// The or of two.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn or(self, other: Self) -> Self {
        Self(_mm256_or_si256(self.0, other.0))
    }

    /// Whether all bits are 0.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn is_zero(self) -> bool {
        _mm256_testz_si256(self.0, self.0) == 1
    }
}

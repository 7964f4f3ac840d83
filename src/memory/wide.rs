//! Sixteen bytes at once: a register of SSE2 on x86-64, two words elsewhere.
#![expect(unsafe_code, reason = "reads through pointers")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_setzero_si128, _mm_xor_si128,
};

/// Sixteen bytes.
#[derive(Clone, Copy)]
pub struct Wide(#[cfg(target_arch = "x86_64")] __m128i, #[cfg(not(target_arch = "x86_64"))] [u64; 2]);

#[cfg(target_arch = "x86_64")]
impl Wide {
    /// Those at an address.
    ///
    /// # Safety
    /// They may be read there.
    #[inline(always)]
    pub unsafe fn read(at: *const u8) -> Self {
        // SAFETY: by the contract of this function; SSE2 is part of x86-64, here and below.
        Self(unsafe { _mm_loadu_si128(at.cast()) })
    }

    /// What differs between two.
    #[inline(always)]
    pub fn xor(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm_xor_si128(self.0, other.0) })
    }

    /// What is set in one of two.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm_or_si128(self.0, other.0) })
    }

    /// Whether nothing is set.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_setzero_si128())) == 0xffff }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Wide {
    /// Those at an address.
    ///
    /// # Safety
    /// They may be read there.
    #[inline(always)]
    pub unsafe fn read(at: *const u8) -> Self {
        // SAFETY: by the contract of this function.
        Self(unsafe { at.cast::<[u64; 2]>().read_unaligned() })
    }

    /// What differs between two.
    #[inline(always)]
    pub fn xor(self, other: Self) -> Self {
        Self([self.0[0] ^ other.0[0], self.0[1] ^ other.0[1]])
    }

    /// What is set in one of two.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether nothing is set.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 2]
    }
}

//! Whether a text is plain ASCII without a NUL, many bytes at once. V8 keeps such a text as C expects it.

/// Bytes that are checked without a branch in between; a multiple of the widest registers.
const LONG: usize = 128;
const SHORT: usize = 16;

/// Whether a text is plain.
#[inline]
pub fn is_plain(bytes: &[u8]) -> bool {
    match bytes.len() {
        LONG.. => is_long_plain(bytes),
        SHORT.. => in_chunks::<SHORT>(bytes),
        8.. => in_words(bytes, u64::from_ne_bytes),
        4.. => in_words(bytes, |word| u32::from_ne_bytes(word).into()),
        _ => bytes.iter().all(|byte| byte.cast_signed() > 0),
    }
}

#[inline(never)]
fn is_long_plain(bytes: &[u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn in_long_chunks(bytes: &[u8]) -> bool {
            in_chunks::<LONG>(bytes)
        }
        #[expect(unsafe_code, reason = "is for a processor that has it")]
        // SAFETY: this one has.
        return unsafe { in_long_chunks(bytes) };
    }
    in_chunks::<LONG>(bytes)
}

/// Tests the bytes in chunks; the last one overlaps the one before. There is at least one.
#[inline(always)]
fn in_chunks<const SIZE: usize>(bytes: &[u8]) -> bool {
    // No early exit, so that the loop is vectorised.
    let is_plain = |chunk: &[u8; SIZE]| chunk.iter().fold(true, |plain, byte| plain & (byte.cast_signed() > 0));
    bytes.as_chunks().0.iter().all(is_plain) && bytes.last_chunk().is_none_or(is_plain)
}

/// Tests the first and the last word, which overlap.
#[inline(always)]
fn in_words<const SIZE: usize>(bytes: &[u8], word: impl Fn([u8; SIZE]) -> u64) -> bool {
    let ends = [bytes.first_chunk(), bytes.last_chunk()];
    // The bytes that a smaller word leaves free are set to 1.
    let ones = u64::MAX / 255;
    let free = if SIZE == 8 { 0 } else { ones << (SIZE * 8) };
    ends.into_iter().flatten().all(|end| {
        let word = word(*end) | free;
        // A byte of 0 borrows, and has its highest bit set then.
        (word | word.wrapping_sub(ones)) & ones << 7 == 0
    })
}

/// Copies a text and puts a NUL behind it; `to` is one byte longer.
#[inline]
pub fn copy_with_nul(to: &mut [u8], from: &[u8]) {
    if let Some((nul, to)) = to.split_last_mut() {
        *nul = 0;
        copy(to, from);
    }
}

/// Copies a text of the same length, the short ones without a call.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        8..=16 => copy_ends::<8>(to, from),
        4..8 => copy_ends::<4>(to, from),
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last word, which overlap.
#[inline(always)]
fn copy_ends<const SIZE: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<SIZE>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<SIZE>(), from.last_chunk()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_other_byte_is_seen_wherever_it_stands() {
        for length in (0..40).chain([63, 127, 128, 129, 200, 256, 300]) {
            let mut text: Vec<u8> = (0..length).map(|at| 1 + (at % 127) as u8).collect();
            assert!(is_plain(&text), "{length}");
            for at in 0..length {
                let plain = text[at];
                for byte in [0, 0x80, 0x81, 0xff] {
                    text[at] = byte;
                    assert!(!is_plain(&text), "{byte:#x} at {at} of {length}");
                }
                text[at] = plain;
            }
        }
    }

    #[test]
    fn texts_of_all_lengths_are_copied() {
        for length in 0..40 {
            let from: Vec<u8> = (1..=length).collect();
            let mut to = vec![0; from.len()];
            copy(&mut to, &from);
            assert_eq!(to, from);
        }
    }
}

//! UTF-16 of UTF-8, of which a string is made. Bytes that are no UTF-8 are left to the engine's own decoder, which puts
//! U+FFFD in their place.

#[cfg(target_arch = "x86_64")]
use super::decode_avx2;
use super::decode_scalar;

/// The most units that [`utf16_of_utf8`] writes for so many bytes, those among them that it may overwrite behind the
/// text.
pub fn most_units(bytes: usize) -> usize {
    bytes.saturating_add(16)
}

/// Writes UTF-8 as UTF-16: how many units that takes; `None` where the bytes are no UTF-8.
///
/// # Panics
/// If `to` is shorter than [`most_units`].
pub fn utf16_of_utf8(bytes: &[u8], to: &mut [u16]) -> Option<usize> {
    assert!(to.len() >= most_units(bytes.len()));
    #[cfg(target_arch = "x86_64")]
    if decode_avx2::is_there() {
        #[expect(unsafe_code, reason = "is for a processor that has it")]
        // SAFETY: this one has, and there is room.
        return unsafe { decode_avx2::utf16_of_utf8(bytes, to) };
    }
    decode_scalar::utf16_of_utf8(bytes, to)
}

/// UTF-32 as UTF-16. U+FFFD takes the place of a number that is no code point.
pub fn utf16_of_utf32(points: impl Iterator<Item = u32>) -> Vec<u16> {
    let mut units = Vec::with_capacity(points.size_hint().0);
    let mut pair = [0; 2];
    for point in points {
        let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        units.extend_from_slice(character.encode_utf16(&mut pair));
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Option<Vec<u16>> {
        const BEHIND: usize = 32;
        let most = most_units(bytes.len());
        let mut to = vec![0xaaaa; most + BEHIND];
        let used = utf16_of_utf8(bytes, &mut to[..most]);
        assert_eq!(to[most..], [0xaaaa; BEHIND], "written behind the end");
        let used = used?;
        let mut scalar = vec![0; most_units(bytes.len())];
        assert_eq!(decode_scalar::utf16_of_utf8(bytes, &mut scalar), Some(used));
        assert_eq!(scalar[..used], to[..used]);
        to.truncate(used);
        Some(to)
    }

    /// Numbers that look random, and are the same each time.
    fn random() -> impl FnMut(usize) -> usize {
        let mut state = 5u64;
        move |most| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % most
        }
    }

    #[test]
    fn random_texts_are_what_the_standard_library_makes_of_them() {
        let mut below = random();
        for round in 0..if cfg!(miri) { 20 } else { 6000 } {
            let kinds = 1 + below(15);
            let mut text = String::new();
            while text.len() < if round % 7 == 0 { 300 } else { 40 } {
                let kind = below(4);
                if kinds >> kind & 1 == 0 {
                    continue;
                }
                let point = match kind {
                    0 => below(0x80),
                    1 => 0x80 + below(0x780),
                    2 => [0x800 + below(0xd000), 0xe000 + below(0x2000)][below(2)],
                    _ => 0x10000 + below(0x10_0000),
                };
                text.extend(char::from_u32(point as u32));
            }
            assert_eq!(decoded(text.as_bytes()), Some(text.encode_utf16().collect()), "{text}");
            // One byte is changed, inserted or cut off.
            let mut bytes = text.into_bytes();
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = below(256) as u8,
                1 => bytes.insert(at, 0x80 + below(0x80) as u8),
                _ => bytes.truncate(at),
            }
            let wanted = std::str::from_utf8(&bytes).ok().map(|text| text.encode_utf16().collect::<Vec<_>>());
            assert_eq!(decoded(&bytes), wanted, "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_refused_wherever_it_stands() {
        let wrong: [&[u8]; 12] = [
            &[0x80],
            &[0xc0, 0x80],
            &[0xc1, 0xbf],
            &[0xc3],
            &[0xc3, 0xc3],
            &[0xe0, 0x9f, 0xbf],
            &[0xed, 0xa0, 0x80],
            &[0xe2, 0x82],
            &[0xf0, 0x8f, 0xbf, 0xbf],
            &[0xf4, 0x90, 0x80, 0x80],
            &[0xf5, 0x80, 0x80, 0x80],
            &[0xff],
        ];
        for filler in ["x", "é", "你", "😀"] {
            for before in 0..20 {
                for after in [0, 1, 7, 20] {
                    for bytes in wrong {
                        let text = [filler.repeat(before).as_bytes(), bytes, filler.repeat(after).as_bytes()].concat();
                        assert_eq!(decoded(&text), None, "{text:x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn code_points_are_written_as_units() {
        assert_eq!(
            utf16_of_utf32([0x41, 0x1f600, 0xd800, 0x11_0000].into_iter()),
            [0x41, 0xd83d, 0xde00, 0xfffd, 0xfffd]
        );
    }
}

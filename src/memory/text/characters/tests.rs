use super::*;
use crate::memory::text::utf8_scalar;

/// Units of UTF-16 as the standard library encodes them.
fn wanted(units: &[u16], encoding: Encoding) -> Vec<u8> {
    let points = char::decode_utf16(units.iter().copied()).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER));
    match encoding {
        Encoding::Utf8 => points.chain(['\0']).collect::<String>().into_bytes(),
        Encoding::Utf16 => units.iter().chain(&[0]).flat_map(|unit| unit.to_ne_bytes()).collect(),
        Encoding::Utf32 => points.chain(['\0']).flat_map(|point| u32::from(point).to_ne_bytes()).collect(),
    }
}

fn encoded(characters: Characters<'_>, encoding: Encoding) -> Result<Vec<u8>, HasNul> {
    const BEHIND: usize = 64;
    let most = characters.most_bytes(encoding);
    let mut to = vec![0xaa; most + BEHIND];
    let used = characters.encode(encoding, &mut to[..most])?;
    assert_eq!(to[most..], [0xaa; BEHIND], "written behind the end");
    to.truncate(used);
    Ok(to)
}

const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// Units of one kind or of several: ASCII, two bytes, three bytes, pairs, lone surrogates.
fn random_units(numbers: &mut Numbers, length: usize) -> Vec<u16> {
    let kinds = 1 + numbers.below(31);
    let mut units = Vec::new();
    while units.len() < length {
        match numbers.below(5) {
            kind if kinds >> kind & 1 == 0 => continue,
            0 => units.push(1 + numbers.below(0x7f) as u16),
            1 => units.push(0x80 + numbers.below(0x780) as u16),
            2 => units.push([0x800 + numbers.below(0xd000), 0xe000 + numbers.below(0x2000)][numbers.below(2)] as u16),
            3 => units.extend([0xd800 + numbers.below(0x400) as u16, 0xdc00 + numbers.below(0x400) as u16]),
            _ => units.push(0xd800 + numbers.below(0x800) as u16),
        }
    }
    units.truncate(length);
    units
}

#[test]
fn random_texts_are_what_the_standard_library_makes_of_them() {
    let mut numbers = Numbers(7);
    let rounds = if cfg!(miri) { 20 } else { 6000 };
    for round in 0..rounds {
        let length = numbers.below(if round % 7 == 0 { 300 } else { 40 });
        let units = random_units(&mut numbers, length);
        for encoding in ALL {
            assert_eq!(encoded(Characters::Utf16(&units), encoding), Ok(wanted(&units, encoding)), "{units:x?}");
        }
        let mut to = vec![0; 3 * length];
        let used = utf8_scalar::of_utf16(&units, &mut to).unwrap();
        assert_eq!(to[..used], wanted(&units, Encoding::Utf8)[..used]);
    }
}

#[test]
fn characters_of_latin_1_are_encoded_in_texts_of_all_lengths() {
    let mut numbers = Numbers(3);
    for length in (0..70).chain([127, 128, 129, 1023, 1024, 1025, 2049]) {
        for share in [1, 2, 9, 200] {
            let make = |numbers: &mut Numbers| match numbers.below(share) {
                0 => 0x80 + numbers.below(0x80),
                _ => 1 + numbers.below(0x7f),
            };
            let characters: Vec<u8> = (0..length).map(|_| make(&mut numbers) as u8).collect();
            let units: Vec<u16> = characters.iter().copied().map(u16::from).collect();
            for encoding in ALL {
                assert_eq!(encoded(Characters::Latin1(&characters), encoding), Ok(wanted(&units, encoding)));
            }
            let mut to = vec![0; 2 * length];
            let used = utf8_scalar::of_latin1(&characters, &mut to).unwrap();
            assert_eq!(to[..used], wanted(&units, Encoding::Utf8)[..used]);
        }
    }
}

#[test]
fn a_nul_is_found_wherever_it_stands() {
    // Long texts are searched chunk by chunk.
    let long = if cfg!(miri) { 300 } else { 2100 };
    for length in (1..70).chain([200, long]) {
        for filler in [u16::from(b'x'), 0xe9, 0x444, 0x4f60] {
            for at in (0..length).step_by(if length > 200 { 3 } else { 1 }) {
                let mut units = vec![filler; length];
                units[at] = 0;
                for encoding in ALL {
                    assert_eq!(encoded(Characters::Utf16(&units), encoding), Err(HasNul), "{at} of {length}");
                    let latin1: Vec<u8> = units.iter().map(|unit| *unit as u8).collect();
                    assert_eq!(encoded(Characters::Latin1(&latin1), encoding), Err(HasNul), "{at} of {length}");
                }
            }
        }
    }
}

//! The symbols of an ELF file by its dynamic segment, as the loader finds them: a file without section headers
//! (`strip --strip-section-headers`, packers) has nothing else. Knows no JavaScript.

use object::read::ReadRef;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, Sym};
use object::{U32, elf};

/// The dynamic segment of a file, and what lies where.
pub struct Dynamic<'data, E: FileHeader, R: ReadRef<'data>> {
    endian: E::Endian,
    data: R,
    segments: &'data [E::ProgramHeader],
    entries: &'data [E::Dyn],
    strings: &'data [u8],
}

/// The parts of a table of hashes by GNU: the number of the first symbol that it has, and where its chains begin.
struct GnuHash<'data, E: FileHeader> {
    first: u32,
    buckets: &'data [U32<E::Endian>],
    chains_at: u64,
}

impl<'data, E: FileHeader, R: ReadRef<'data>> Dynamic<'data, E, R> {
    /// Reads the dynamic segment of a file. `None` if it has none, or one that points outside of the file.
    pub fn of(header: &'data E, endian: E::Endian, data: R) -> Option<Self> {
        let segments = header.program_headers(endian, data).ok()?;
        let entries = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok()?)?;
        let mut dynamic = Self { endian, data, segments, entries, strings: &[] };
        let (address, size) = (dynamic.value(elf::DT_STRTAB)?, dynamic.value(elf::DT_STRSZ)?);
        dynamic.strings = data.read_bytes_at(dynamic.offset_of(address)?, size).ok()?;
        Some(dynamic)
    }

    /// The first value with a tag.
    fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.values(tag).next()
    }

    fn values(&self, tag: elf::DynamicTag) -> impl Iterator<Item = u64> {
        let used = self.entries.iter().take_while(|entry| entry.tag(self.endian) != elf::DT_NULL);
        used.filter(move |entry| entry.tag(self.endian) == tag).map(|entry| entry.val(self.endian))
    }

    /// Where in the file an address of the loaded library lies.
    fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments.iter().filter(|segment| segment.p_type(self.endian) == elf::PT_LOAD).find_map(|segment| {
            let (offset, size) = segment.file_range(self.endian);
            let skipped = address.checked_sub(segment.p_vaddr(self.endian).into()).filter(|skipped| *skipped < size)?;
            offset.checked_add(skipped)
        })
    }

    /// The dynamic symbols.
    pub fn symbols(&self) -> &'data [E::Sym] {
        let symbols = || {
            let offset = self.offset_of(self.value(elf::DT_SYMTAB)?)?;
            self.data.read_slice_at(offset, self.count()?).ok()
        };
        symbols().unwrap_or(&[])
    }

    /// The number of dynamic symbols. Only the hash tables have it: the last symbol is the end of the last chain.
    fn count(&self) -> Option<usize> {
        if let Some(table) = self.value(elf::DT_HASH).and_then(|address| self.offset_of(address)) {
            let header = self.data.read_at::<elf::HashHeader<E::Endian>>(table).ok()?;
            return usize::try_from(header.chain_count.get(self.endian)).ok();
        }
        let GnuHash { first, buckets, chains_at } = self.gnu_hash()?;
        let Some(last) = buckets.iter().map(|bucket| bucket.get(self.endian)).max().filter(|last| *last >= first)
        else {
            return usize::try_from(first).ok();
        };
        for index in last.. {
            let chain = self.data.read_at::<U32<E::Endian>>(chains_at + 4 * u64::from(index - first)).ok()?;
            if chain.get(self.endian) & 1 != 0 {
                return usize::try_from(index.checked_add(1)?).ok();
            }
        }
        None
    }

    fn gnu_hash(&self) -> Option<GnuHash<'data, E>> {
        let table = self.offset_of(self.value(elf::DT_GNU_HASH)?)?;
        let header = self.data.read_at::<elf::GnuHashHeader<E::Endian>>(table).ok()?;
        let bloom_words = u64::from(header.bloom_count.get(self.endian));
        let buckets_at = table.checked_add(16 + bloom_words * size_of::<E::Word>() as u64)?;
        let bucket_count = header.bucket_count.get(self.endian);
        let buckets = self.data.read_slice_at(buckets_at, bucket_count as usize).ok()?;
        let chains_at = buckets_at.checked_add(4 * u64::from(bucket_count))?;
        Some(GnuHash { first: header.symbol_base.get(self.endian), buckets, chains_at })
    }

    /// The number of the first symbol with a hash, and the hashes from it on to the last of `count` symbols. The lowest
    /// bit of each is another's: the last of a chain is odd. `None` where the file has none.
    pub fn hashes(&self, count: usize) -> Option<(usize, &'data [U32<E::Endian>])> {
        let GnuHash { first, chains_at, .. } = self.gnu_hash()?;
        let hashes = self.data.read_slice_at(chains_at, count.checked_sub(first as usize)?).ok()?;
        Some((first as usize, hashes))
    }

    /// The string at an offset of the string table, without its NUL.
    pub fn string(&self, offset: u64) -> Option<&'data [u8]> {
        let rest = self.strings.get(usize::try_from(offset).ok()?..)?;
        rest.iter().position(|byte| *byte == 0).map(|end| &rest[..end])
    }

    /// The name of a symbol.
    pub fn name_of(&self, symbol: &E::Sym) -> Option<&'data [u8]> {
        self.string(symbol.st_name(self.endian).into())
    }

    /// The strings with a tag: DT_NEEDED, DT_SONAME, DT_RUNPATH.
    pub fn strings(&self, tag: elf::DynamicTag) -> impl Iterator<Item = &'data [u8]> {
        self.values(tag).filter_map(|offset| self.string(offset))
    }
}

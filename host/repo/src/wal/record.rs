//! What the write-ahead log's records are, as bytes.
//!
//! Invariant: a record counts whole or not at all, and none counts behind one that does not.

use git2::{ObjectType, Oid};

/// How a record begins.
pub(super) const MAGIC: &[u8; 8] = b"PtJourn1";
/// Magic, generation, number, length and sum.
const HEADER: usize = 8 + 8 + 4 + 4 + 20;

const OBJECT: u8 = 1;
const POINT: u8 = 2;
const GONE: u8 = 3;

/// An object as it is written once more.
pub(super) type Object = (ObjectType, Vec<u8>);

/// What a record holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) objects: Vec<Object>,
    pub(super) refs: Vec<(String, Option<Oid>)>,
}

impl Record {
    pub(super) fn encode(&self, generation: u64, number: u32) -> Vec<u8> {
        let mut payload = Vec::new();
        for (kind, bytes) in &self.objects {
            payload.push(OBJECT);
            payload.push(code(*kind));
            payload.extend(length_of(bytes).to_le_bytes());
            payload.extend(bytes);
        }
        for (name, to) in &self.refs {
            payload.push(if to.is_some() { POINT } else { GONE });
            payload.extend(length_of(name.as_bytes()).to_le_bytes());
            payload.extend(name.as_bytes());
            if let Some(to) = to {
                payload.extend(to.as_bytes());
            }
        }
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(MAGIC);
        bytes.extend(generation.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        bytes.extend(length_of(&payload).to_le_bytes());
        bytes.extend(sum(&bytes, &payload));
        bytes.extend(payload);
        bytes
    }

    pub(super) fn decode(mut payload: &[u8]) -> Option<Self> {
        let mut record = Self::default();
        while let Some(tag) = take::<1>(&mut payload) {
            match tag {
                [OBJECT] => {
                    let [kind] = take::<1>(&mut payload)?;
                    let bytes = take_counted(&mut payload)?;
                    record.objects.push((kind_of(kind)?, bytes.to_vec()));
                }
                [tag @ (POINT | GONE)] => {
                    let name = String::from_utf8(take_counted(&mut payload)?.to_vec()).ok()?;
                    let to = match tag {
                        POINT => Some(Oid::from_bytes(&take::<20>(&mut payload)?).ok()?),
                        _ => None,
                    };
                    record.refs.push((name, to));
                }
                _ => return None,
            }
        }
        Some(record)
    }
}

/// The records that count, whose generation it is, and where they end.
pub(super) fn parse(bytes: &[u8]) -> (u64, Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    let mut generation = None;
    while let Some((its, record, length)) = bytes
        .get(at..)
        .and_then(|rest| one(rest, u32::try_from(records.len()).ok()?))
    {
        if *generation.get_or_insert(its) != its {
            break;
        }
        records.push(record);
        at += length;
    }
    (generation.unwrap_or_default(), records, at)
}

/// The record of this number at the beginning of these bytes, if it is whole.
fn one(bytes: &[u8], number: u32) -> Option<(u64, Record, usize)> {
    let mut rest = bytes;
    if take::<8>(&mut rest)? != *MAGIC {
        return None;
    }
    let generation = u64::from_le_bytes(take(&mut rest)?);
    if u32::from_le_bytes(take(&mut rest)?) != number {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
    let checksum: [u8; 20] = take(&mut rest)?;
    let payload = rest.get(..length)?;
    let record =
        (sum(bytes.get(..24)?, payload) == checksum).then(|| Record::decode(payload))??;
    Some((generation, record, HEADER + length))
}

/// Detects torn records; it is no protection against a writer.
fn sum(head: &[u8], payload: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let all = [head, payload].concat();
    if let Ok(oid) = Oid::hash_object(ObjectType::Blob, &all) {
        out.copy_from_slice(oid.as_bytes());
    }
    out
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_le_bytes(take(bytes)?)).ok()?;
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(first)
}

/// A record is shorter than the write-ahead log, and that is four megabytes.
fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn code(kind: ObjectType) -> u8 {
    match kind {
        ObjectType::Commit => 1,
        ObjectType::Tree => 2,
        ObjectType::Tag => 4,
        _ => 3,
    }
}

fn kind_of(code: u8) -> Option<ObjectType> {
    match code {
        1 => Some(ObjectType::Commit),
        2 => Some(ObjectType::Tree),
        3 => Some(ObjectType::Blob),
        4 => Some(ObjectType::Tag),
        _ => None,
    }
}

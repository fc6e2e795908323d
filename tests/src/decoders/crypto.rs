//! Decoders of `alliance-crypto`. Keys and places are those of the golden vectors, so that the vectors open.
//!
//! A shell seals again what is mutated: a member who has the key chooses what is inside.

use alliance_crypto::{
    BoxPlace, Canary, DeviceSecret, EpochKey, HelpAnswer, HelpRequest, Invitation, PendingInvite, PendingJoin,
    RecoverySecret, Rules, Secret, SmallDomain, Watching, open, open_box, open_by_words, open_link, open_small,
    seal_small, verify,
};
use alliance_wire::membership::{BOX_BYTES, EpochLink, KeyBox, Role};
use alliance_wire::{EpochId, HeaderHash, LogId, SignerKey, SpaceId, decode};

use super::Shell;

const RULES: Rules = Rules::ALL;
const SPACE: SpaceId = SpaceId([0x51; 16]);
const LOG: LogId = LogId([0x52; 20]);
const AD: &[u8] = b"ad";

fn epoch_key() -> EpochKey {
    EpochKey::from_bytes([6; 32])
}

pub(super) fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    open(RULES, &epoch_key(), LOG, AD, bytes).ok()
}

/// The content behind cipher, padding and compression.
pub(super) const SEALED: Shell = Shell {
    open: sealed,
    close: |inside| alliance_crypto::seal(RULES, &epoch_key(), LOG, AD, inside, [7; 32]).unwrap_or_default(),
};

pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    alliance_crypto::unpack(bytes).ok()
}

const WATCHING_EPOCH: [u8; 16] = [2; 16];
const WATCHING_DEVICE: [u8; 32] = [8; 32];

pub(super) fn watching(bytes: &[u8]) -> Option<Vec<u8>> {
    let key = epoch_key();
    let key_of = |epoch: EpochId| (epoch.0 == WATCHING_EPOCH).then_some(&key);
    let watching = Watching::open(SPACE, bytes, key_of).ok()?;
    Some([watching.document.0, watching.id].concat())
}

fn watching_key() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("alliance v1 watching");
    *hasher.update(epoch_key().as_bytes()).update(&WATCHING_DEVICE).finalize().as_bytes()
}

fn watching_head() -> Vec<u8> {
    [WATCHING_EPOCH.as_slice(), &WATCHING_DEVICE].concat()
}

/// The text of a notice behind its open head and its cipher.
pub(super) const WATCHING: Shell = Shell {
    open: |bytes| {
        let rest = bytes.strip_prefix(watching_head().as_slice())?;
        let ad = [SPACE.0.as_slice(), &watching_head()].concat();
        open_small(SmallDomain::Watching, &watching_key(), &ad, rest).ok()
    },
    close: |inside| {
        let ad = [SPACE.0.as_slice(), &watching_head()].concat();
        let sealed = seal_small(SmallDomain::Watching, &watching_key(), &ad, inside, [7; 32]);
        [watching_head(), sealed].concat()
    },
};

/// The box of the golden epoch, for the second device of the vectors.
pub(super) fn key_box(bytes: &[u8]) -> Option<Vec<u8>> {
    let sealed = <[u8; BOX_BYTES]>::try_from(bytes).ok()?;
    let secret = DeviceSecret::from_seed([2; 32]);
    let parents = [HeaderHash([3; 32]), HeaderHash([4; 32])];
    let place = BoxPlace::Epoch { space: SPACE, generation: 2, parents: &parents };
    let key = EpochKey::from_bytes(EPOCH_KEY);
    let canary = Canary::of(&key, SPACE, 2);
    let opened = open_box(&secret, &place, &KeyBox { recipient: secret.signer_key(), sealed }, &canary).ok()?;
    Some(opened.as_bytes().to_vec())
}

/// The box of a store's key for the recovery words of the vectors.
pub(super) fn words_box(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(open_by_words(&RecoverySecret::from_seed([2; 32]), &[0x61; 16], bytes)?.to_vec())
}

/// A request for help, answered by the helper of the vectors if a share is sealed to it.
pub(super) fn help_request(bytes: &[u8]) -> Option<Vec<u8>> {
    let request: HelpRequest = decode(bytes).ok()?;
    // Whoever shows it chooses all of it.
    drop(request.answer(&DeviceSecret::from_seed([4; 32]), [7; 32]));
    Some(alliance_wire::encode(&request))
}

/// The answer to one.
pub(super) fn help_answer(bytes: &[u8]) -> Option<Vec<u8>> {
    let answer: HelpAnswer = decode(bytes).ok()?;
    Some(alliance_wire::encode(&answer))
}

/// The key that the golden epoch's box holds (`core/crypto/vectors/epochs.json`).
const EPOCH_KEY: [u8; 32] = [
    0x6d, 0x8e, 0x63, 0xa5, 0x87, 0x51, 0xf8, 0x95, 0xc6, 0x73, 0xa0, 0x98, 0x9c, 0x45, 0xad, 0x7c, 0x0d, 0xc1, 0x36,
    0x9f, 0x07, 0xd0, 0x3b, 0xf8, 0x81, 0xcc, 0x58, 0x12, 0x75, 0x4a, 0x6f, 0x51,
];

/// A link to a predecessor, as the golden epoch makes one.
pub(super) fn epoch_link(bytes: &[u8]) -> Option<Vec<u8>> {
    let link: EpochLink = decode(bytes).ok()?;
    let canary = Canary::of(&epoch_key(), SPACE, 1);
    let opened = open_link(&EpochKey::from_bytes(EPOCH_KEY), &link, &canary).ok()?;
    Some(opened.as_bytes().to_vec())
}

/// Key (32) and signature (64) over a fixed message.
pub(super) fn signature(bytes: &[u8]) -> Option<Vec<u8>> {
    let (key, signature) = bytes.split_at_checked(32)?;
    let key = SignerKey::try_from(key).ok()?;
    verify(key, b"message", &signature.try_into().ok()?).ok().map(|()| Vec::new())
}

fn invite() -> PendingInvite {
    PendingInvite::new(&DeviceSecret::from_seed([1; 32]), SPACE, Role::Writer, 2_000, [5; 32])
}

fn invitation() -> Invitation {
    invite().invitation(None)
}

fn join() -> PendingJoin {
    let recovery = RecoverySecret::from_seed([3; 32]).card();
    let device = DeviceSecret::from_seed([2; 32]);
    PendingJoin::new(&device, recovery, invitation(), "Ines", 1_000, [6; 32]).expect("a fresh invitation")
}

/// What the inviter makes of an accept.
pub(super) fn accept(bytes: &[u8]) -> Option<Vec<u8>> {
    invite().receive(bytes, 1_000, [7; 32]).ok()
}

/// What the newcomer makes of a reveal.
pub(super) fn reveal(bytes: &[u8]) -> Option<Vec<u8>> {
    join().receive(bytes).ok().map(|words| words.concat().into_bytes())
}

const TO_INVITER: u8 = 0;
const TO_NEWCOMER: u8 = 1;

fn message_data(direction: u8) -> Vec<u8> {
    let once = invite().secret().signer_key();
    [&[direction], SPACE.0.as_slice(), &once.0].concat()
}

fn open_message(direction: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    let seed = invite().secret().seed();
    open_small(SmallDomain::Invitation, &seed, &message_data(direction), bytes).ok()
}

fn close_message(direction: u8, inside: &[u8]) -> Vec<u8> {
    let seed = invite().secret().seed();
    seal_small(SmallDomain::Invitation, &seed, &message_data(direction), inside, [7; 32])
}

/// An accept behind its cipher.
pub(super) const ACCEPT: Shell =
    Shell { open: |bytes| open_message(TO_INVITER, bytes), close: |inside| close_message(TO_INVITER, inside) };

/// A reveal behind its cipher.
pub(super) const REVEAL: Shell =
    Shell { open: |bytes| open_message(TO_NEWCOMER, bytes), close: |inside| close_message(TO_NEWCOMER, inside) };

/// The honest accept and reveal, for the corpus.
pub(super) fn messages() -> (Vec<u8>, Vec<u8>) {
    let (mut invite, join) = (invite(), join());
    let reveal = invite.receive(join.message(), 1_000, [7; 32]).expect("an honest accept");
    (join.message().to_vec(), reveal)
}

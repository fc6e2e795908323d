//! Invitations: who holds the text can ask once, and the words tell who asked.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_crypto::{
    AcceptError, Cost, DeviceSecret, INVITATION_NAME_BYTES_MAX, Invitation, InvitationError, JoinError, PendingInvite,
    PendingJoin, RecoverySecret, RecoveryWords, RelayAt, Secret, WordsError, passphrase_key, verify_card,
};
use alliance_wire::membership::{Boxes, CardFor, Role};
use alliance_wire::{DeviceKey, EpochId, HeaderHash, SpaceId, decode, encode, limits};

const SPACE: SpaceId = SpaceId([1; 16]);
const NOW: u64 = 1_000;

fn device(seed: u8) -> DeviceSecret {
    DeviceSecret::from_seed([seed; 32])
}

fn invite(random: u8) -> PendingInvite {
    PendingInvite::new(&device(1), SPACE, Role::Writer, NOW + 10, [random; 32])
}

fn relay() -> Option<RelayAt> {
    Some(RelayAt { key: DeviceKey([2; 32]), address: "relay.example:4433".to_owned() })
}

fn join(seed: u8, invitation: &Invitation) -> PendingJoin {
    let recovery = RecoverySecret::from_seed([seed; 32]).card();
    PendingJoin::new(&device(seed), recovery, invitation.clone(), "Ines", NOW, [seed; 32]).unwrap()
}

#[test]
fn two_people_compare_four_words_and_the_steward_admits() {
    let mut inviter = invite(1);
    let invitation = Invitation::parse(&inviter.invitation(relay()).to_text()).unwrap();
    assert_eq!(invitation, inviter.invitation(relay()));
    let mut newcomer = join(2, &invitation);
    assert!(newcomer.message().len() <= limits::MAILBOX_MESSAGE_BYTES_MAX);
    assert_eq!((inviter.words(), newcomer.words()), (None, None));
    let boxes = Boxes { epoch: EpochId([3; 16]), boxes: Vec::new() };
    assert_eq!(inviter.confirm(HeaderHash([4; 32]), boxes.clone()), Err(AcceptError::NoAccept));
    let reveal = inviter.receive(newcomer.message(), NOW, [5; 32]).unwrap();
    let words = newcomer.receive(&reveal).unwrap();
    assert_eq!(Some(words), inviter.words());
    assert_eq!(inviter.accept().unwrap().name, "Ines");

    let (tag, add) = inviter.confirm(HeaderHash([4; 32]), boxes).unwrap();
    assert_eq!(tag, newcomer.tag());
    assert_eq!((add.once, add.role), (inviter.once_key().key, Role::Writer));
    let place = CardFor::Add { space: SPACE, tag, once: add.once, role: add.role };
    assert_eq!(verify_card(&place, &add.card, &add.recovery), Ok(()));
}

#[test]
fn both_sides_survive_being_stored_and_messages_being_repeated() {
    let mut inviter = invite(1);
    let newcomer = join(2, &inviter.invitation(None));
    let first = inviter.receive(newcomer.message(), NOW, [5; 32]).unwrap();
    let mut inviter: PendingInvite = decode(&encode(&inviter)).unwrap();
    let mut newcomer: PendingJoin = decode(&encode(&newcomer)).unwrap();
    // The same accept is answered again, also after the expiry: it was taken in time.
    let second = inviter.receive(newcomer.message(), NOW + 99, [6; 32]).unwrap();
    assert_ne!(first, second);
    assert_eq!(newcomer.receive(&first), newcomer.receive(&second));
    let newcomer: PendingJoin = decode(&encode(&newcomer)).unwrap();
    assert_eq!(newcomer.words(), inviter.words());
}

#[test]
fn a_one_time_key_serves_once() {
    let mut inviter = invite(1);
    let invitation = inviter.invitation(None);
    let (thief, mut newcomer) = (join(3, &invitation), join(2, &invitation));
    let reveal = inviter.receive(thief.message(), NOW, [5; 32]).unwrap();
    assert_eq!(inviter.receive(newcomer.message(), NOW, [5; 32]), Err(AcceptError::Spent));
    assert_eq!(newcomer.receive(&reveal), Err(JoinError::UsedByAnother));
    // The words decide: told over the phone, the newcomer has none to compare, and the inviter rejects.
    let boxes = Boxes { epoch: EpochId([3; 16]), boxes: Vec::new() };
    assert!(inviter.confirm(HeaderHash([4; 32]), boxes.clone()).is_ok(), "the control");
    inviter.reject();
    assert_eq!(inviter.confirm(HeaderHash([4; 32]), boxes), Err(AcceptError::Spent));
}

#[test]
fn words_differ_by_everything_that_was_said() {
    let words_of = |random: u8, seed: u8| {
        let mut inviter = invite(random);
        let mut newcomer = join(seed, &inviter.invitation(None));
        let reveal = inviter.receive(newcomer.message(), NOW, [5; 32]).unwrap();
        newcomer.receive(&reveal).unwrap()
    };
    let all = [words_of(1, 2), words_of(1, 3), words_of(2, 2), words_of(2, 3)];
    for (at, words) in all.iter().enumerate() {
        assert!(!all[..at].contains(words), "{words:?}");
    }
    assert_eq!(words_of(1, 2), all[0]);
}

#[test]
fn expired_foreign_and_damaged_messages_are_told_apart() {
    let mut inviter = invite(1);
    let newcomer = join(2, &inviter.invitation(None));
    assert_eq!(inviter.receive(newcomer.message(), NOW + 11, [5; 32]), Err(AcceptError::Expired));
    let foreign = join(2, &invite(2).invitation(None));
    assert_eq!(inviter.receive(foreign.message(), NOW, [5; 32]), Err(AcceptError::Foreign));
    let late = PendingJoin::new(
        &device(2),
        RecoverySecret::from_seed([2; 32]).card(),
        inviter.invitation(None),
        "",
        NOW + 11,
        [1; 32],
    );
    assert_eq!(late.map(|_| ()), Err(JoinError::Expired));
    let long = "x".repeat(INVITATION_NAME_BYTES_MAX + 1);
    let recovery = RecoverySecret::from_seed([2; 32]).card();
    let named = PendingJoin::new(&device(2), recovery, inviter.invitation(None), &long, NOW, [1; 32]);
    assert_eq!(named.map(|_| ()), Err(JoinError::Name));

    for at in 0..newcomer.message().len() {
        let mut changed = newcomer.message().to_vec();
        changed[at] ^= 0x41;
        let error = inviter.receive(&changed, NOW, [5; 32]).unwrap_err();
        let expected = if at == 0 { AcceptError::NewerVersion } else { AcceptError::Foreign };
        assert_eq!(error, expected, "byte {at}");
    }
    assert_eq!(inviter.receive(&[0; 5_000], NOW, [5; 32]), Err(AcceptError::Foreign));
    let reveal = inviter.receive(newcomer.message(), NOW, [5; 32]).unwrap();
    let mut newcomer = newcomer;
    for at in 0..reveal.len() {
        let mut changed = reveal.clone();
        changed[at] ^= 1;
        assert!(newcomer.receive(&changed).is_err(), "byte {at}");
    }
    let own = newcomer.message().to_vec();
    assert_eq!(newcomer.receive(&own), Err(JoinError::Foreign), "one's own message is no answer");
    assert!(newcomer.receive(&reveal).is_ok());
}

#[test]
fn device_and_recovery_key_of_a_newcomer_differ() {
    let mut inviter = invite(1);
    let newcomer = device(2);
    let mut recovery = RecoverySecret::from_seed([2; 32]).card();
    recovery.signer = newcomer.key().into();
    let join = PendingJoin::new(&newcomer, recovery, inviter.invitation(None), "", NOW, [1; 32]).unwrap();
    assert_eq!(inviter.receive(join.message(), NOW, [5; 32]), Err(AcceptError::Malformed));
}

/// Parses the text of an invitation after a change.
fn check_text(change: impl FnOnce(String) -> String, expected: Option<InvitationError>) {
    let text = change(invite(1).invitation(relay()).to_text());
    assert_eq!(Invitation::parse(&text).err(), expected, "{text}");
}

#[test]
fn the_text_says_what_is_wrong_with_it() {
    use InvitationError::{Damaged, NotInvitation};
    check_text(|text| text, None);
    check_text(|text| text.to_uppercase(), None);
    // A link as mail programs set it off; half of the brackets, or two pairs, are something else.
    check_text(|text| format!(" <{text}>\n"), None);
    check_text(|text| format!("<{text}"), Some(NotInvitation));
    check_text(|text| format!("<<{text}>>"), Some(NotInvitation));
    check_text(|text| format!("{text}>"), Some(Damaged));
    check_text(|text| format!("  {}\r\n{}\n", &text[..40], &text[40..]), None);
    check_text(|_| "https://example.org".to_owned(), Some(NotInvitation));
    check_text(|_| String::new(), Some(NotInvitation));
    check_text(|text| text.replace("alliance-invite:", ""), Some(NotInvitation));
    check_text(|_| "alliance-invite:".to_owned(), Some(Damaged));
    check_text(|text| text[..text.len() - 1].to_owned(), Some(Damaged));
    check_text(|text| text + "a", Some(Damaged));
    check_text(|text| text + "1", Some(Damaged));
    check_text(|text| text + &"a".repeat(5_000), Some(Damaged));
    let length = invite(1).invitation(relay()).to_text().len();
    for at in "alliance-invite:".len()..length {
        let change = |mut text: String| {
            let other = if text.as_bytes()[at] == b'a' { "b" } else { "a" };
            text.replace_range(at..=at, other);
            text
        };
        check_text(change, Some(Damaged));
    }
}

#[test]
fn nothing_secret_is_printed() {
    let inviter = invite(1);
    let invitation = inviter.invitation(relay());
    let seed = format!("{:?}", *inviter.secret().seed());
    let leaks = |text: &str| text.contains(&seed[1..30]);
    assert!(leaks(&seed), "the control");
    let text = format!("{inviter:?} {invitation:?} {:?} {:?}", join(2, &invitation), inviter.secret());
    assert!(!leaks(&text), "{text}");
}

#[test]
fn recovery_words_are_read_as_typed() {
    let words = RecoveryWords::generate([1; 32]);
    let list = words.words();
    let text = list.join(" ");
    let typed = format!("  {}\n", list.join("\n ").to_uppercase());
    let key = |words: &RecoveryWords| words.secret(Cost::TEST).signer_key();
    assert_eq!(key(&RecoveryWords::parse(&typed).unwrap()), key(&words));
    assert_ne!(key(&RecoveryWords::generate([2; 32])), key(&words));
    let other_cost = Cost::new(64, 2).unwrap();
    assert_ne!(words.secret(other_cost).signer_key(), key(&words));

    let parse = |text: &str| RecoveryWords::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(parse(&list[..11].join(" ")), WordsError::Count { found: 11 });
    assert_eq!(parse(&format!("{text} zoo")), WordsError::Count { found: 13 });
    assert_eq!(parse(""), WordsError::Count { found: 0 });
    let mut wrong = list;
    wrong[4] = "alliance";
    assert_eq!(parse(&wrong.join(" ")), WordsError::Unknown { at: 4 });
    let mut swapped = list;
    swapped.swap(0, 1);
    assert_eq!(parse(&swapped.join(" ")), WordsError::Checksum);
    assert_eq!(format!("{words:?}"), "RecoveryWords(redacted)");
}

#[test]
fn passphrases_and_costs_are_bounded() {
    let key = |phrase: &str, salt: u8| passphrase_key(phrase, &[salt; 16], Cost::TEST).map(|key| *key);
    assert_eq!(key("correct horse", 1), key("correct horse", 1));
    assert_ne!(key("correct horse", 1), key("correct horse", 2));
    assert_ne!(key("correct horse", 1), key("correct horsf", 1));
    assert!(key("", 1).is_err() && key(&"x".repeat(1_025), 1).is_err() && key(&"x".repeat(1_024), 1).is_ok());
    for (memory, passes) in [(0, 1), (7, 1), (64, 0), (2 << 20, 1), (64, 65)] {
        assert!(Cost::new(memory, passes).is_err(), "{memory} KiB, {passes} passes");
    }
    assert_eq!(Cost::new(65_536, 3), Ok(Cost::DEFAULT));
}

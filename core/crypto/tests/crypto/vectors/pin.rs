//! `pin.json`: a store's key under a PIN and for the recovery words.

use alliance_crypto::{
    DeviceSecret, HelpAnswer, HelpError, HelpRequest, HelpSecret, HelpWrap, PinWrap, RecoverySecret, Secret,
    UnwrapError, check_new_pin, open_by_words,
};
use serde_json::Value;

use super::{array, bytes, cases, file, text};

fn wrap(case: &Value) -> PinWrap {
    let encoded = bytes(&case["wrap"]);
    let wrap: PinWrap = alliance_wire::decode(&encoded).unwrap();
    assert_eq!(alliance_wire::encode(&wrap), encoded);
    wrap
}

fn secret(case: &Value) -> Option<[u8; 32]> {
    case["secret"].as_str().map(|_| array(&case["secret"]))
}

#[test]
fn pins_open_what_they_should() {
    let vectors = file("pin.json");
    let (key, place) = (array::<32>(&vectors["key"]), array::<16>(&vectors["place"]));
    for case in cases(&vectors, "wraps") {
        let (wrap, secret) = (wrap(case), secret(case));
        assert_eq!(wrap.needs_secret(), secret.is_some());
        assert_eq!(*wrap.open((text(&case["typed"]), secret.as_ref()), &place).unwrap(), key, "{}", case["what"]);
    }
    for case in cases(&vectors, "must_fail") {
        let (wrap, secret, place) = (wrap(case), secret(case), array(&case["place"]));
        let error = wrap.open((text(&case["pin"]), secret.as_ref()), &place).unwrap_err();
        let missing = wrap.needs_secret() && secret.is_none();
        assert_eq!(error, if missing { UnwrapError::SecretMissing } else { UnwrapError::Wrong }, "{}", case["what"]);
    }
}

#[test]
fn the_words_open_what_they_should() {
    let vectors = file("pin.json");
    let (words, place) = (&vectors["words"], array::<16>(&vectors["place"]));
    let sealed = bytes(&words["sealed"]);
    let recovery = RecoverySecret::from_seed(array(&words["recovery_seed"]));
    assert_eq!(*open_by_words(&recovery, &place, &sealed).unwrap(), array::<32>(&vectors["key"]));
    assert!(open_by_words(&RecoverySecret::from_seed([3; 32]), &place, &sealed).is_none());
    assert!(open_by_words(&recovery, &[0; 16], &sealed).is_none());
    assert!(open_by_words(&recovery, &place, &sealed[1..]).is_none());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open_by_words(&recovery, &place, &changed).is_none(), "at {at}");
    }
}

#[test]
fn a_helper_opens_what_two_shares_open() {
    let vectors = file("pin.json");
    let (help, key, place) = (&vectors["help"], array::<32>(&vectors["key"]), array::<16>(&vectors["place"]));
    let encoded = bytes(&help["wrap"]);
    let wrap: HelpWrap = alliance_wire::decode(&encoded).unwrap();
    let request: HelpRequest = alliance_wire::decode(&bytes(&help["request"])).unwrap();
    let answer: HelpAnswer = alliance_wire::decode(&bytes(&help["answer"])).unwrap();
    let asker = HelpSecret::from_seed(array(&help["asker_seed"]));
    let helpers = cases(help, "helper_seeds").iter().map(|seed| DeviceSecret::from_seed(array(seed)));
    let helpers: Vec<DeviceSecret> = helpers.collect();
    assert_eq!(wrap.ask(&place, &asker), request);
    assert_eq!(wrap.open(&place, &asker, &answer).map(|(key, device)| (*key, device)), Ok((key, helpers[1].key())));
    for helper in &helpers {
        let answer = request.answer(helper, [1; 32]).unwrap();
        assert_eq!(*wrap.open(&place, &asker, &answer).unwrap().0, key);
    }
    // Neither what lies beside the store nor what travels holds the key or the helper's share; the control: the first
    // holds its own share in the open.
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    for part in [&encoded, &bytes(&help["request"]), &bytes(&help["answer"])] {
        assert!(!holds(part, &key) && !holds(part, &bytes(&help["theirs"])));
    }
    assert!(holds(&encoded, &bytes(&help["own"])) && !holds(&bytes(&help["request"]), &bytes(&help["own"])));

    // Somebody else cannot answer, and no answer opens for another request, another store or another signer.
    let stranger = DeviceSecret::from_seed([9; 32]);
    assert_eq!(request.answer(&stranger, [1; 32]), Err(HelpError::NotTheHelper));
    let other = HelpSecret::from_seed([8; 32]);
    assert_eq!(wrap.open(&place, &other, &answer).unwrap_err(), HelpError::Signature);
    assert_eq!(wrap.open(&[0; 16], &asker, &answer).unwrap_err(), HelpError::Signature);
    let boxed = [(stranger.key(), stranger.box_key())];
    let foreign = HelpWrap::seal(&[7; 32], &place, &boxed, ([1; 32], &[2; 32].into()), [3; 32]).unwrap();
    assert_eq!(foreign.open(&place, &asker, &answer).unwrap_err(), HelpError::NotTheHelper);
    let theirs = foreign.ask(&place, &asker).answer(&stranger, [1; 32]).unwrap();
    assert_eq!(wrap.open(&place, &asker, &theirs).unwrap_err(), HelpError::NotTheHelper);
    let moved = foreign.ask(&[0; 16], &asker);
    assert_eq!(moved.answer(&stranger, [1; 32]), Err(HelpError::Sealed));
    let good = bytes(&help["answer"]);
    let mut refused = 0;
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let read: Result<HelpAnswer, _> = alliance_wire::decode(&changed);
        refused += usize::from(read.is_ok_and(|answer| wrap.open(&place, &asker, &answer).is_err()));
        let read: Result<HelpAnswer, _> = alliance_wire::decode(&changed);
        assert!(read.is_err() || wrap.open(&place, &asker, &read.unwrap()).is_err(), "at {at}");
    }
    assert!(refused > 150, "{refused}");
    // Nobody is a helper whose box key is none.
    assert!(
        HelpWrap::seal(
            &key,
            &place,
            &[(stranger.key(), alliance_wire::BoxKey([0; 32]))],
            ([1; 32], &[2; 32].into()),
            [3; 32]
        )
        .is_none()
    );
}

#[test]
fn guessable_pins_are_refused() {
    let choice = &file("pin.json")["choice"];
    for pin in cases(choice, "taken") {
        assert_eq!(check_new_pin(text(pin)), Ok(()), "{pin}");
    }
    for case in cases(choice, "refused") {
        let error = check_new_pin(text(&case["pin"])).unwrap_err();
        assert_eq!(format!("{error:?}"), text(&case["error"]), "{}", case["pin"]);
    }
    // Most PINs can be chosen: what is refused is what somebody tries who has five tries, not half of all.
    let taken = (0..10_000).filter(|pin| check_new_pin(&format!("{pin:04}")).is_ok()).count();
    assert!((9_000..9_400).contains(&taken), "{taken} of 10,000");
}

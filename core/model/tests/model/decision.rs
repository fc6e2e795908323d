//! Decisions: whose they are, who says what, and what a file of sealed ones proves.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::decision::trail::{Trail, TrailError, hexadecimal};
use alliance_model::decision::{
    CheckView, DecisionCommand as D, DecisionField, DecisionList, DecisionText, DecisionView, EthicsCheck, SealView,
    Sealed, check,
};
use alliance_model::kind::{decision_of, is_decision_of};
use alliance_model::{CivilDate, Cosignature, ItemId, Party, RefusalCode, Span, Splice, TextView};
use alliance_wire::{DeviceKey, FrozenHash, PersonTag};

const AMINA: PersonTag = PersonTag([0xa; 16]);
const BEN: PersonTag = PersonTag([0xb; 16]);

fn text(words: &str) -> TextView {
    TextView { text: words.to_owned(), spans: vec![Span { start: 0, len: words.chars().count(), author: 0 }] }
}

/// Amina's decision, which Ben has checked.
fn decided(number: u8) -> DecisionView {
    let mut view = DecisionView {
        document: decision_of(&AMINA, [number; 16]).to_string(),
        made_by: Some(0),
        maker: Some(AMINA.to_string()),
        authors: vec!["Amina".into(), "Ben".into()],
        question: text("May I tell the school?"),
        rationale: text("She trusts me."),
        choice: text("I ask her first."),
        checks: vec![CheckView { op: ItemId([1; 8]), by: 1, person: BEN.to_string(), text: "Sound.".into() }],
        ..DecisionView::default()
    };
    view.text = DecisionText::of(&view).hash().to_string();
    view
}

fn parties() -> Vec<Party> {
    [(AMINA, "Amina"), (BEN, "Ben")].map(|(person, name)| Party { person, name: name.into() }).to_vec()
}

fn sealed(view: &DecisionView, person: PersonTag, previous: Vec<FrozenHash>) -> Sealed {
    let seen = view.text.parse().unwrap();
    let sealing = view.sealing(seen, vec![3; 32], parties(), previous).unwrap();
    let on = CivilDate::new(2026, 12, 5).unwrap();
    let (device, language) = (DeviceKey(person.0.repeat(2).try_into().unwrap()), "en".to_owned());
    let signature = Cosignature { frozen: sealing.frozen, person, device, language, on, signature: [person.0[0]; 64] };
    Sealed { sealing, signature }
}

fn code(view: &DecisionView, command: &D, me: &str) -> Option<RefusalCode> {
    check(view, command, me).err().map(|refusal| refusal.code)
}

/// Both have sealed it.
fn complete(number: u8, previous: Vec<FrozenHash>) -> DecisionView {
    sealed_by_both(decided(number), previous)
}

fn sealed_by_both(mut view: DecisionView, previous: Vec<FrozenHash>) -> DecisionView {
    view.text = DecisionText::of(&view).hash().to_string();
    let mut seal: Option<SealView> = None;
    for person in [AMINA, BEN] {
        let Sealed { sealing, signature } = sealed(&view, person, previous.clone());
        let seal = seal.get_or_insert_with(|| sealing.view(ItemId([2; 8]), DecisionText::of(&view)));
        seal.signatures.push((&signature).into());
        seal.proofs.push(hexadecimal(&signature.signature));
    }
    view.settle(seal.into_iter().collect());
    assert!(view.is_sealed());
    view
}

fn name(view: &DecisionView) -> FrozenHash {
    view.sealed().unwrap().name.parse().unwrap()
}

#[test]
fn a_decisions_id_says_whose_it_is() {
    let id = decision_of(&AMINA, [9; 16]);
    assert!(is_decision_of(&id, &AMINA) && !is_decision_of(&id, &BEN));
    let empty = DecisionView { document: id.to_string(), ..DecisionView::default() };
    assert_eq!(code(&empty, &D::Begin { person: AMINA, session: None }, "Amina"), None);
    assert_eq!(code(&empty, &D::Begin { person: BEN, session: None }, "Ben"), Some(RefusalCode::NotAuthor));
    assert_eq!(code(&decided(1), &D::Begin { person: AMINA, session: None }, "Amina"), Some(RefusalCode::NotAuthor));
}

#[test]
fn the_supervisee_words_it_and_another_checks_it() {
    let view = decided(1);
    let wording = [
        D::Edit { id: DecisionField::Choice.id(), splice: Splice::insert(0, "Today ") },
        D::Add { id: ItemId([7; 8]), list: DecisionList::Option, after: None },
        D::SetEthical { ethical: true },
    ];
    for command in wording {
        assert_eq!(code(&view, &command, "Amina"), None, "{command:?}");
        assert_eq!(code(&view, &command, "Ben"), Some(RefusalCode::NotAuthor), "{command:?}");
    }
    let says = |op: u8, text: &str| D::Check {
        op: ItemId([op; 8]),
        check: EthicsCheck { person: BEN, text: text.to_owned() },
    };
    assert_eq!(code(&view, &says(5, "Sound."), "Ben"), None);
    assert_eq!(code(&view, &says(5, "Sound."), "Amina"), Some(RefusalCode::NotAuthor), "nobody checks their own");
    assert_eq!(code(&view, &says(1, "Sound."), "Ben"), Some(RefusalCode::ItemExists));
    assert_eq!(code(&view, &says(5, " \n"), "Ben"), Some(RefusalCode::TextEmpty));
    assert_eq!(code(&view, &says(5, "a\u{7}"), "Ben"), Some(RefusalCode::TextInvalid));
    // What every decision has once is not taken out.
    assert_eq!(code(&view, &D::Remove { id: DecisionField::Choice.id() }, "Amina"), Some(RefusalCode::UnknownItem));
}

#[test]
fn what_is_sealed_is_whole_checked_and_what_was_shown() {
    let view = decided(1);
    let seal = |view: &DecisionView, seal: &Sealed| {
        let command = D::Seal { op: ItemId([9; 8]), sealed: Box::new(seal.clone()), seen: view.text.parse().unwrap() };
        code(view, &command, "Amina")
    };
    let honest = sealed(&view, AMINA, Vec::new());
    assert_eq!(seal(&view, &honest), None);
    for field in DecisionField::ALL {
        let mut less = view.clone();
        *less.field_mut(*field) = TextView::default();
        less.text = DecisionText::of(&less).hash().to_string();
        assert_eq!(seal(&less, &sealed(&less, AMINA, Vec::new())), Some(RefusalCode::Incomplete), "{field}");
    }
    let unchecked = DecisionView { checks: Vec::new(), ..view.clone() };
    assert_eq!(seal(&unchecked, &honest), Some(RefusalCode::Incomplete));
    // What was sealed is another text than what is shown, and what was shown is not there any more.
    let mut other = DecisionView { choice: text("I ask him first."), ..view.clone() };
    other.text = DecisionText::of(&other).hash().to_string();
    assert_eq!(seal(&other, &honest), Some(RefusalCode::StaleView));
    let command = D::Seal { op: ItemId([9; 8]), sealed: Box::new(honest.clone()), seen: view.text.parse().unwrap() };
    assert_eq!(code(&other, &command, "Amina"), Some(RefusalCode::StaleText));
    let mut without = honest.clone();
    without.sealing.parties.retain(|party| party.person != AMINA);
    assert_eq!(seal(&view, &without), Some(RefusalCode::NotParty));
    // The second one signs the same name, once.
    let mut half = view.clone();
    let mut shown = honest.sealing.view(ItemId([2; 8]), DecisionText::of(&view));
    shown.signatures.push((&honest.signature).into());
    half.settle(vec![shown]);
    assert_eq!(seal(&half, &sealed(&half, BEN, vec![FrozenHash([4; 32])])), None);
    assert_eq!(sealed(&half, BEN, vec![FrozenHash([4; 32])]).sealing.previous, [], "what the first one named");
    assert_eq!(seal(&half, &honest), Some(RefusalCode::AlreadySigned));
    let done = complete(1, Vec::new());
    let more = D::Check { op: ItemId([5; 8]), check: EthicsCheck { person: BEN, text: "More.".into() } };
    for command in [D::SetEthical { ethical: true }, more] {
        assert_eq!(code(&done, &command, "Ben"), Some(RefusalCode::Sealed));
    }
}

#[test]
fn a_trail_proves_what_was_sealed_and_shows_what_was_left_out() {
    let first = complete(1, Vec::new());
    let second = complete(2, vec![name(&first)]);
    let third = complete(3, vec![name(&second)]);
    let open = decided(4);
    let whole = Trail::of(&[third.clone(), open, first.clone(), second.clone()]);
    let order: Vec<&str> = whole.decisions.iter().map(|it| it.decision.as_str()).collect();
    assert_eq!(order, [&first.document, &second.document, &third.document], "in the order in which they were sealed");
    let read = Trail::parse(&whole.encode()).unwrap();
    assert_eq!(read, whole);
    let verifies = |it: &Cosignature| it.signature[0] == it.person.0[0];
    let proof = read.prove(verifies).unwrap();
    assert_eq!((proof.decisions, proof.missing.len(), proof.devices.len()), (3, 0, 2));
    // One that is left out between two is missed.
    let gap = Trail::of(&[first.clone(), third.clone()]).prove(verifies).unwrap();
    assert_eq!(gap.missing, [name(&second).to_string()]);
    // One word, one signature, one that did not sign, one that stands before what it names.
    let spoilt = |change: &dyn Fn(&mut Trail)| {
        let mut trail = whole.clone();
        change(&mut trail);
        trail.prove(verifies).unwrap_err()
    };
    let of = |view: &DecisionView| view.document.clone();
    assert_eq!(spoilt(&|it| it.decisions[1].text.choice.push('!')), TrailError::Text(of(&second)));
    assert_eq!(spoilt(&|it| it.decisions[1].previous.clear()), TrailError::Text(of(&second)));
    let other = hexadecimal(&[1; 64]);
    assert_eq!(
        spoilt(&|it| it.decisions[2].signatures[0].signature.clone_from(&other)),
        TrailError::Signature(of(&third))
    );
    assert_eq!(
        spoilt(&|it| {
            it.decisions[0].signatures.pop();
        }),
        TrailError::Unsigned(of(&first))
    );
    assert_eq!(spoilt(&|it| it.decisions.swap(0, 1)), TrailError::Order(of(&first)));
    assert_eq!(spoilt(&|it| it.decisions.push(it.decisions[0].clone())), TrailError::Order(of(&first)));
    // Two who agree to say that somebody else decided so: they can name that person, and not sign for them.
    let lies: [&dyn Fn(&mut DecisionView); 2] =
        [&|it| it.maker = Some(BEN.to_string()), &|it| it.document = decision_of(&BEN, [9; 16]).to_string()];
    for lie in lies {
        let mut view = decided(5);
        lie(&mut view);
        let it = Trail::of(&[sealed_by_both(view, Vec::new())]).prove(verifies).unwrap_err();
        assert!(matches!(it, TrailError::Maker(_)), "{it}");
    }
    let bytes = String::from_utf8(whole.encode()).unwrap();
    for not in ["{}", "[]", &bytes.replace("\"trail\":1", "\"trail\":9"), &bytes.replacen('{', "{\"more\":1,", 1)] {
        assert_eq!(Trail::parse(not.as_bytes()), Err(TrailError::Format), "{not}");
    }
}

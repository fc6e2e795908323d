//! Decoders of `alliance-document` and of the commands that its drafts hold.

use std::sync::OnceLock;

use alliance_document::gate::{Candidate, Gate, Rules, Verdict};
use alliance_document::{Actor, Document, Heads, ProtectiveEntry, ShareEntry, StateEntry, ViewContext, seal};
use alliance_model::agreement::Proposal;
use alliance_model::decision::trail::Trail;
use alliance_model::decision::{EthicsCheck, Sealed};
use alliance_model::exports::{DetachedSignature, ExportRecord};
use alliance_model::form::{FilePiece, FormSeal, Said};
use alliance_model::note::Confirmation;
use alliance_model::note::{NoteCommand as N, Stage, Transition};
use alliance_model::policy::{Pack, Policy, SignedPack};
use alliance_model::session::AliasEntry;
use alliance_model::signed::SignedText;
use alliance_model::{CivilDate, Command, Cosignature, DocumentKind, ItemId, Splice};
use alliance_wire::{DeviceKey, DocumentId, Incarnation};

use super::Shell;
use crate::mutate::{Parts, frame};

const KIND: DocumentKind = DocumentKind::Note;
const ACTION: ItemId = ItemId([1; 8]);

/// Commands as drafts hold them.
pub(super) fn command(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Command::decode(bytes).ok()?.encode())
}

pub(super) fn action_entry(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(StateEntry::<Transition>::parse(bytes)?.encode())
}

pub(super) fn share_entry(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(ShareEntry::parse(bytes)?.encode())
}

pub(super) fn protective_entry(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(ProtectiveEntry::parse(bytes)?.encode())
}

pub(super) fn proposal(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Proposal::parse(bytes)?.encode())
}

pub(super) fn alias_entry(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(AliasEntry::parse(bytes)?.encode())
}

pub(super) fn confirmation(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Confirmation::parse(bytes)?.encode())
}

pub(super) fn ethics_check(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(EthicsCheck::parse(bytes)?.encode())
}

pub(super) fn seal_entry(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Sealed::parse(bytes)?.encode())
}

pub(super) fn export_record(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(ExportRecord::parse(bytes)?.encode())
}

pub(super) fn detached_signature(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(DetachedSignature::parse(bytes)?.encode())
}

pub(super) fn said(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Said::parse(bytes)?.encode())
}

pub(super) fn file_piece(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(FilePiece::parse(bytes)?.encode())
}

pub(super) fn form_seal(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(FormSeal::parse(bytes)?.encode())
}

/// A signed form that stands alone, whose signatures are taken for good.
pub(super) fn signed_form(bytes: &[u8]) -> Option<Vec<u8>> {
    let signed = SignedText::parse(bytes).ok()?;
    signed.prove(|_| true).ok()?;
    Some(signed.encode())
}

/// A pack, and what may be done with any that is read.
pub(super) fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let pack = Pack::parse(bytes).ok()?;
    let _ = (Policy::check(&pack), Policy::in_force([&pack, &pack]));
    for template in &pack.templates {
        let _ = template.commands(|| ACTION);
    }
    Some(pack.encode())
}

/// A signed pack, whose signature is taken for good.
pub(super) fn signed_pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let signed = SignedPack::parse(bytes).ok()?;
    signed.verify(|_| true).ok()?;
    Some(signed.encode())
}

/// A file of sealed decisions, whose signatures are taken for good.
pub(super) fn trail(bytes: &[u8]) -> Option<Vec<u8>> {
    let trail = Trail::parse(bytes).ok()?;
    trail.prove(|_| true).ok()?;
    Some(trail.encode())
}

pub(super) fn cosignature(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Cosignature::parse(bytes)?.encode())
}

pub(super) fn heads(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Heads::from_bytes(bytes)?.to_bytes())
}

/// A note of two people, and the next change of one of them.
struct Scene {
    document: Document,
    gate: Gate,
    mallory: Actor,
    honest: Vec<u8>,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let id = KIND.document_id([7; 16]);
        let (document, gate) = (Document::new(id, KIND), Gate::new(id, KIND, Rules::ALL));
        let (asha, mallory) = (actor(id, 1), actor(id, 2));
        let mut scene = Scene { document, gate, mallory, honest: Vec::new() };
        let edit = |stage, pos, delete, insert: &str| {
            Command::Note(N::EditSection { stage, splice: Splice { pos, delete, insert: insert.into() } })
        };
        let begin = [
            edit(Stage::Exploration, 0, 0, "We met under the tree, as we do every month."),
            Command::Note(N::AddAction { id: ACTION, after: None }),
            Command::Note(N::EditAction { id: ACTION, splice: Splice::insert(0, "call the clinic") }),
        ];
        let first = write(&scene.document, asha, &begin);
        assert_eq!(take(&mut scene, asha, &first), Verdict::Admitted);
        let date = CivilDate::new(2026, 11, 5).expect("a date");
        let next = [
            edit(Stage::Exploration, 8, 5, "wrote ä"),
            edit(Stage::Focus, 0, 0, "w"),
            Command::Note(N::SetDate { date }),
            Command::Note(N::MarkAction {
                id: ACTION,
                op: ItemId([2; 8]),
                transition: Transition::Done,
                cites: vec![ItemId([3; 8])],
            }),
        ];
        scene.honest = write(&scene.document, mallory, &next);
        scene
    })
}

fn actor(id: DocumentId, person: u8) -> Actor {
    Actor::of(DeviceKey([person; 32]), Incarnation([person; 16]), id, 0).expect("the first actor")
}

fn write(document: &Document, actor: Actor, commands: &[Command]) -> Vec<u8> {
    let sealed = seal(document, &document.heads(), actor, commands).expect("commands that fit the note");
    sealed.into_iter().next().expect("one change").bytes
}

fn take(scene: &mut Scene, actor: Actor, bytes: &[u8]) -> Verdict {
    let candidate = Candidate { entry: 0, actor, person: None, schema: KIND.schema(), changes: vec![bytes.to_vec()] };
    let judged = scene.gate.judge(std::slice::from_ref(&candidate));
    scene.document.apply(&judged.admitted).expect("what the gate admits is applied");
    judged.verdicts[0].1
}

/// A change chunk as the gate takes it: judged, applied and shown. What is admitted is in its one form, so its bytes are
/// their own encoding.
pub(super) fn change(bytes: &[u8]) -> Option<Vec<u8>> {
    let scene = scene();
    let mut gate = scene.gate.clone();
    let schema = KIND.schema();
    let candidate = Candidate { entry: 0, actor: scene.mallory, person: None, schema, changes: vec![bytes.to_vec()] };
    let judged = gate.judge(std::slice::from_ref(&candidate));
    if judged.verdicts[0].1 != Verdict::Admitted {
        return None;
    }
    let mut document = scene.document.clone();
    document.apply(&judged.admitted).expect("the gate lets nothing through on which the engine fails");
    let context = ViewContext { author: &|_| "somebody".to_owned(), ..ViewContext::BARE };
    document.view(context).expect("what was admitted can be shown");
    let change = document.changes().expect("what was admitted can be listed").pop()?;
    Some(change.1)
}

/// The honest change, for the corpus.
pub(super) fn honest_change() -> Vec<u8> {
    scene().honest.clone()
}

/// A chunk's data behind its magic, checksum, type and length.
pub(super) const CHUNK: Shell = Shell {
    open: |bytes| {
        Parts::parse(bytes)?;
        let mut at = 9;
        while bytes.get(at)? & 0x80 != 0 {
            at += 1;
        }
        Some(bytes.get(at + 1..)?.to_vec())
    },
    close: |data| frame(1, data),
};

//! The documents of a space on which everybody makes the same attempts, and how its people came to their roles.

use std::collections::BTreeMap;

use alliance_client::{Client, DocumentId, FrozenHash, PersonTag, Role, SpaceId, Standing, StoreKey, View};
use alliance_model::agreement::{AgreementCommand as A, ClauseSection, Modality, Term};
use alliance_model::note::Stage;
use alliance_model::session::{Attendance, SessionCommand as S, SessionField, SessionValue};
use alliance_model::{AgreementView, CivilDate, Command, DocumentKind, ItemId, MeetingKind, NoteCommand as N, Splice};
use alliance_tests::people::insert;

use crate::papers::Papers;
use crate::people::{Kind, People, Who, write};

/// A clause, and what it says.
pub(crate) const ROLES: ItemId = ItemId([2; 8]);
pub(crate) const ROLES_TEXT: &str = "Amina prepares, Ben listens.";
const CONFIDENTIAL: ItemId = ItemId([3; 8]);
/// Something to do.
pub(crate) const ACTION: ItemId = ItemId([4; 8]);
/// Whom the session is about.
pub(crate) const STAKEHOLDER: &str = "client";

/// A day on which somebody signs.
pub(crate) fn day() -> CivilDate {
    CivilDate::new(2026, 12, 1).unwrap()
}

/// An agreement that can be proposed, or was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agreement {
    pub(crate) document: DocumentId,
    /// What it says, as a signer is shown it.
    pub(crate) text: FrozenHash,
    /// What was proposed; of the one that was not, its text.
    pub(crate) version: FrozenHash,
}

/// The documents.
pub(crate) struct Documents {
    pub(crate) agreement: Agreement,
    /// Its parties are all who write.
    pub(crate) proposed: Agreement,
    /// Its only party is the steward.
    pub(crate) founders: Agreement,
    /// Of no kind yet, with an action.
    pub(crate) note: DocumentId,
    pub(crate) note_text: FrozenHash,
    /// Clinical; its text was taken out after this version.
    pub(crate) worn: DocumentId,
    pub(crate) worn_version: String,
    /// The steward locked it, and others wrote apart.
    pub(crate) locked: DocumentId,
    pub(crate) locked_text: FrozenHash,
    /// The signer locked it, and the steward wrote apart; at home there is none.
    pub(crate) locked_by_signer: DocumentId,
    /// Clinical, with something of everybody on its agenda.
    pub(crate) session: DocumentId,
    /// Another, without a note.
    pub(crate) twin: DocumentId,
    /// One of another kind.
    pub(crate) training: DocumentId,
    /// What the suspended device wrote since, as it is offered.
    pub(crate) offered: String,
}

/// A space with its people and documents, as everybody's attempts find it.
pub(crate) struct Scene {
    pub(crate) people: People,
    pub(crate) documents: Documents,
    pub(crate) papers: Papers,
    /// The key of each store: deriving it from a passphrase takes longer than most attempts.
    pub(crate) keys: BTreeMap<Who, StoreKey>,
}

impl Scene {
    /// Sets the scene: everybody has everything, got their roles, and closed their stores.
    pub(crate) async fn set(kind: Kind) -> Self {
        let mut people = People::alone(kind).await;
        let space = people.space;
        let founders = proposed(people.client(Who::Steward), space).await;
        people.gather().await;
        let steward = people.client(Who::Steward);
        let (agreement, proposed) = (whole(steward, space).await, whole(steward, space).await);
        let (note, worn) = (note(steward, space).await, worn(steward, space).await);
        let [session, twin] = [session(steward, space).await, session(steward, space).await];
        let training = of_kind(steward, space, MeetingKind::Training).await;
        let held = [attended(&people, Who::Steward).await, attended(&people, kind.owner_of_two().other()).await];
        let mut papers = Papers::begin(&people).await;
        people.exchange().await;
        papers.answer(&people, session).await;
        let locked = bring_and_lock(&people, session, held).await;
        papers.settle(&people).await;
        take_roles(&people, note).await;
        let steward = people.client(Who::Steward);
        let version = propose(steward, proposed).await;
        people.exchange_among_members().await;
        let steward = people.client(Who::Steward);
        let offers = steward.offered(space).await.unwrap();
        let documents = Documents {
            agreement: as_shown(steward, agreement, None).await,
            proposed: as_shown(steward, proposed, Some(version)).await,
            founders,
            note,
            note_text: text_of_note(steward, note).await,
            worn,
            worn_version: steward.history(worn, 0, 10).await.unwrap().versions.pop().unwrap().version,
            locked: locked[0],
            locked_text: text_of_note(steward, locked[0]).await,
            locked_by_signer: locked[1],
            session,
            twin,
            training,
            offered: offers.into_iter().find(|it| it.document == Some(note)).unwrap().id,
        };
        papers.look(&people).await;
        everybody_knows(&people).await;
        let mut keys = BTreeMap::new();
        for who in kind.roles() {
            keys.insert(*who, people.client(*who).store_key());
            people.client(*who).close().await.unwrap();
        }
        Self { people, documents, papers, keys }
    }
}

/// Everybody puts something on the agenda. Two notes are locked, each by one who alone was there, while others write in
/// them apart. Answers the notes; at home both are the same.
async fn bring_and_lock(people: &People, session: DocumentId, held: [DocumentId; 2]) -> [DocumentId; 2] {
    let (kind, steward) = (people.kind, people.client(Who::Steward));
    let wrote = |who: &Who| kind.wrote(*who);
    for who in kind.roles().iter().copied().filter(wrote) {
        let id = who.item();
        let commands = [S::AddItem { id, after: None }, S::EditItem { id, splice: Splice::insert(0, who.name()) }];
        write(people.client(who), session, commands.map(Command::Session).to_vec()).await;
    }
    let (locked, _) = steward.note_of_session(held[0]).await.unwrap();
    write(steward, locked, vec![edit(Stage::Focus, "What we looked at.")]).await;
    if kind == Kind::Personal {
        lock(steward, locked).await;
        people.exchange().await;
        return [locked, locked];
    }
    let signer = people.client(Who::Signer);
    let (theirs, _) = signer.note_of_session(held[1]).await.unwrap();
    write(signer, theirs, vec![edit(Stage::Focus, "What I looked at.")]).await;
    people.exchange().await;
    lock(steward, locked).await;
    lock(signer, theirs).await;
    write(steward, theirs, vec![edit(stage(Who::Steward), "Apart.")]).await;
    let apart = |who: &Who| wrote(who) && !matches!(who, Who::Steward | Who::Removed);
    for who in kind.roles().iter().copied().filter(apart) {
        write(people.client(who), locked, vec![edit(stage(who), "Apart.")]).await;
    }
    people.exchange().await;
    [locked, theirs]
}

/// Who leaves, is put out, reads only from now on, and which device is suspended. It writes once more before it hears.
async fn take_roles(people: &People, note: DocumentId) {
    let (kind, steward, space) = (people.kind, people.client(Who::Steward), people.space);
    if kind != Kind::Personal {
        people.client(Who::Former).leave(space).await.unwrap();
        people.meet(Who::Steward, Who::Former).await;
        people.exchange_among_members().await;
    }
    if kind == Kind::Group {
        let tag = |who: Who| people.own[&who].tag.to_string();
        steward.set_role(space, &tag(Who::Reader), Role::Reader).await.unwrap();
        steward.remove_member(space, &tag(Who::Removed)).await.unwrap();
        people.exchange_among_members().await;
        people.meet(Who::Steward, Who::Removed).await;
    }
    let device = people.own[&Who::Suspended].device.to_string();
    people.client(kind.owner_of_two()).suspend_device(&device).await.unwrap();
    people.exchange_among_members().await;
    write(people.client(Who::Suspended), note, vec![insert(0, "Not heard of. ")]).await;
    people.meet(Who::Steward, Who::Suspended).await;
    people.exchange_among_members().await;
}

/// The control: each store knows the role in which its person attempts everything.
async fn everybody_knows(people: &People) {
    for who in people.kind.roles() {
        let view = people.client(*who).space(people.space).await.unwrap();
        let own = view.members.iter().find(|member| member.me).map(|member| member.role);
        let (standing, role) = match who {
            Who::Steward | Who::Signer | Who::Writer | Who::Reader => (Standing::Member, Some(who.name())),
            Who::Former => (Standing::Closed, None),
            Who::Removed => (Standing::PutOut, None),
            Who::Suspended => (Standing::Suspended, None),
        };
        assert_eq!((view.standing, own), (standing, role), "{who:?}: {view:?}");
    }
}

/// Where somebody writes apart in a note that is locked: each somewhere else, so that each stretch has one author.
pub(crate) const fn stage(who: Who) -> Stage {
    match who {
        Who::Steward | Who::Signer => Stage::Exploration,
        Who::Writer | Who::Suspended => Stage::Understanding,
        Who::Reader => Stage::Action,
        Who::Former | Who::Removed => Stage::Close,
    }
}

fn edit(stage: Stage, text: &str) -> Command {
    Command::Note(N::EditSection { stage, splice: Splice::insert(0, text) })
}

/// An agreement that says what it has to.
async fn whole(client: &Client, space: SpaceId) -> DocumentId {
    let agreement = client.create_document(space, DocumentKind::Agreement).await.unwrap();
    let clause = |id, section| A::AddClause { id, section, modality: Modality::May, after: None };
    let says = |id, text: &str| A::EditClause { id, splice: Splice::insert(0, text) };
    let commands = [
        clause(CONFIDENTIAL, ClauseSection::Confidentiality),
        says(CONFIDENTIAL, "It stays between us."),
        clause(ROLES, ClauseSection::Roles),
        says(ROLES, ROLES_TEXT),
        A::SetTerm { term: Term::ReviewDue(CivilDate::new(2027, 5, 30).unwrap()) },
    ];
    write(client, agreement, commands.map(Command::Agreement).to_vec()).await;
    client.seal(agreement).await.unwrap();
    agreement
}

/// One that is proposed to all who write in the space by now.
async fn proposed(client: &Client, space: SpaceId) -> Agreement {
    let agreement = whole(client, space).await;
    let version = propose(client, agreement).await;
    as_shown(client, agreement, Some(version)).await
}

async fn propose(client: &Client, agreement: DocumentId) -> FrozenHash {
    let seen = shown(client, agreement).await.text.parse().unwrap();
    client.propose(agreement, seen, "en", day()).await.unwrap()
}

async fn as_shown(client: &Client, document: DocumentId, version: Option<FrozenHash>) -> Agreement {
    let text: FrozenHash = shown(client, document).await.text.parse().unwrap();
    Agreement { document, text, version: version.unwrap_or(text) }
}

async fn shown(client: &Client, agreement: DocumentId) -> AgreementView {
    let View::Agreement(view) = client.view(agreement).await.unwrap().view else { panic!("an agreement") };
    view
}

async fn note(client: &Client, space: SpaceId) -> DocumentId {
    let note = client.create_document(space, DocumentKind::Note).await.unwrap();
    let commands = [
        N::AddAction { id: ACTION, after: None },
        N::EditAction { id: ACTION, splice: Splice::insert(0, "Ask the family") },
    ];
    write(client, note, vec![insert(0, "What was said. ")]).await;
    write(client, note, commands.map(Command::Note).to_vec()).await;
    client.seal(note).await.unwrap();
    note
}

async fn worn(client: &Client, space: SpaceId) -> DocumentId {
    let note = client.create_document(space, DocumentKind::Note).await.unwrap();
    let words = "What was taken out.";
    write(client, note, vec![insert(0, words)]).await;
    client.seal(note).await.unwrap();
    let delete = u32::try_from(words.chars().count()).unwrap();
    let gone = N::EditSection { stage: Stage::Exploration, splice: Splice { pos: 0, delete, insert: String::new() } };
    let commands = [gone, N::SetKind { kind: MeetingKind::Clinical }];
    write(client, note, commands.map(Command::Note).to_vec()).await;
    client.seal(note).await.unwrap();
    note
}

async fn text_of_note(client: &Client, note: DocumentId) -> FrozenHash {
    let View::Note(view) = client.view(note).await.unwrap().view else { panic!("a note") };
    view.text.parse().unwrap()
}

/// Confirms a note as the only one who was there.
async fn lock(client: &Client, note: DocumentId) {
    client.confirm_note(note, text_of_note(client, note).await, "en", day()).await.unwrap();
    let View::Note(view) = client.view(note).await.unwrap().view else { panic!("a note") };
    assert!(view.is_locked(), "{view:?}");
}

async fn session(client: &Client, space: SpaceId) -> DocumentId {
    let session = of_kind(client, space, MeetingKind::Clinical).await;
    let commands = [
        S::Set { value: SessionValue::from_text(SessionField::Date, "2026-12-04").unwrap() },
        S::AddStakeholder { name: STAKEHOLDER.to_owned() },
    ];
    write(client, session, commands.map(Command::Session).to_vec()).await;
    client.seal(session).await.unwrap();
    session
}

async fn of_kind(client: &Client, space: SpaceId, kind: MeetingKind) -> DocumentId {
    let session = client.create_document(space, DocumentKind::Session).await.unwrap();
    let set = S::Set { value: SessionValue::Kind(kind) };
    write(client, session, vec![Command::Session(set)]).await;
    client.seal(session).await.unwrap();
    session
}

/// A session at which one person was, as the steward wrote it down.
async fn attended(people: &People, who: Who) -> DocumentId {
    let steward = people.client(Who::Steward);
    let session = steward.create_document(people.space, DocumentKind::Session).await.unwrap();
    let person: PersonTag = people.own.get(&who).unwrap_or(&people.own[&Who::Steward]).tag;
    let there = S::SetAttendance { person, attendance: Attendance::Attended };
    write(steward, session, vec![Command::Session(there)]).await;
    steward.seal(session).await.unwrap();
    session
}

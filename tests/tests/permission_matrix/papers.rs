//! The decisions and forms of a space on which everybody makes the same attempts, and who wrote, checked and signed them.

use std::collections::BTreeMap;

use alliance_client::{Client, DocumentId, FrozenHash, NewSpace, PersonTag, SpaceId, View};
use alliance_model::audience::Audience;
use alliance_model::decision::{DecisionCommand as D, DecisionField, DecisionList};
use alliance_model::form::{FormCommand as F, Said};
use alliance_model::{Command, DecisionView, DocumentKind, FormView, ItemId, Splice};
use alliance_tests::people::Person;

use crate::documents::day;
use crate::people::{Kind, People, Who, write};

/// Something that could have been chosen, in each decision.
pub(crate) const OPTION: ItemId = ItemId([5; 8]);
/// What the charter says already.
pub(crate) const STAGE: &str = "stage";
pub(crate) const PURPOSE: &str = "purpose";
pub(crate) const PRACTICE: &str = "practice";
/// The list of each form that has one.
pub(crate) const GOAL: &str = "goal";
pub(crate) const FEEDBACK: &str = "feedback";
/// The text of a closing summary.
pub(crate) const SUMMARY: &str = "summary";

/// A document that people sign, and what it says as a signer is shown it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paper {
    pub(crate) document: DocumentId,
    pub(crate) text: FrozenHash,
}

/// What two have signed, which never changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    /// A closing summary of the steward and the signer.
    pub(crate) closing: Paper,
    /// A decision of the steward's that the signer checked.
    pub(crate) decision: DocumentId,
}

/// The decisions and forms. Those of which a space has one have ids that follow from the space's.
pub(crate) struct Papers {
    /// Nobody has signed it.
    pub(crate) closing: Paper,
    /// Nothing at home, where nobody else signs.
    settled: Option<Settled>,
    /// One of each who writes to the end: worded, and checked by the steward; the steward's own by the writer.
    decisions: BTreeMap<Who, Paper>,
    /// The file of a contract that an office signed elsewhere.
    pub(crate) contract: Vec<u8>,
}

impl Papers {
    /// Everybody who writes has a goal and, where others are, feedback for somebody; the steward words the rest.
    pub(crate) async fn begin(people: &People) -> Self {
        let (steward, space) = (people.client(Who::Steward), people.space);
        for who in people.kind.roles().iter().copied().filter(|who| people.kind.wrote(*who)) {
            goal(people, who).await;
            if people.kind != Kind::Personal {
                feedback(people, who).await;
            }
        }
        charter(people).await;
        let unsigned = closing(steward, space).await;
        let contract = contract_of_an_office().await;
        let mut papers = Self { closing: unsigned, settled: None, decisions: BTreeMap::new(), contract };
        if people.kind != Kind::Personal {
            let closing = closing(steward, space).await;
            sign(people, Who::Steward, closing).await;
            let decision = decided(steward, space, None).await.document;
            papers.settled = Some(Settled { closing, decision });
        }
        papers
    }

    /// Those who have the session decide something in it. The signer answers what the steward worded.
    pub(crate) async fn answer(&mut self, people: &People, session: DocumentId) {
        for who in people.kind.roles().iter().copied().filter(|who| who.decides()) {
            self.decisions.insert(who, decided(people.client(who), people.space, Some(session)).await);
        }
        if let Some(Settled { closing, decision }) = self.settled {
            people.client(Who::Signer).check_decision(decision, "Sound, and helpful.").await.unwrap();
            sign(people, Who::Signer, closing).await;
        }
    }

    /// Who checks the decisions, and the two who seal one. At home there is nobody else.
    pub(crate) async fn settle(&self, people: &People) {
        let Some(settled) = self.settled else { return };
        for (checks, whose) in [(Who::Steward, Who::Signer), (Who::Steward, Who::Writer), (Who::Writer, Who::Steward)] {
            let decision = self.decisions[&whose].document;
            people.client(checks).check_decision(decision, "Sound, and helpful.").await.unwrap();
        }
        seal(people.client(Who::Steward), settled.decision).await;
        people.meet(Who::Steward, Who::Signer).await;
        seal(people.client(Who::Signer), settled.decision).await;
    }

    /// What a signer is shown in the end. The control: what is attempted on them is attempted on what it should be.
    pub(crate) async fn look(&mut self, people: &People) {
        let steward = people.client(Who::Steward);
        for paper in self.decisions.values_mut() {
            let view = decision(steward, paper.document).await;
            assert_eq!(view.checks.len(), usize::from(people.kind != Kind::Personal), "{view:?}");
            paper.text = view.text.parse().unwrap();
        }
        if let Some(settled) = self.settled {
            assert!(decision(steward, settled.decision).await.is_sealed(), "the decision is sealed");
            assert!(form(steward, settled.closing.document).await.signed, "the summary is signed");
        }
    }

    /// What two have signed.
    pub(crate) fn settled(&self) -> Settled {
        self.settled.expect("nobody attempts at home what needs two")
    }

    /// Somebody's decision.
    pub(crate) fn decision_of(&self, who: Who) -> Paper {
        *self.decisions.get(&who).expect("who writes to the end has one")
    }
}

/// To whom somebody gave feedback: somebody who is a member to the end.
pub(crate) const fn hears(gave: Who) -> Who {
    match gave {
        Who::Steward => Who::Signer,
        Who::Signer => Who::Writer,
        Who::Writer | Who::Suspended | Who::Reader | Who::Former | Who::Removed => Who::Steward,
    }
}

async fn goal(people: &People, who: Who) {
    let (client, id, kind) = (people.client(who), who.item(), DocumentKind::Goals);
    let (goals, _) = client.form_of_space(people.space, kind).await.unwrap();
    let commands = [
        F::Add { id, list: GOAL.to_owned(), after: None, person: people.own[&who].tag },
        F::EditItem { id, splice: Splice::insert(0, "To ask before I advise.") },
    ];
    write(client, goals, commands.map(|it| Command::Form(kind, it)).to_vec()).await;
}

async fn feedback(people: &People, who: Who) {
    let (client, id, kind) = (people.client(who), who.item(), DocumentKind::Feedback);
    let (feedback, _) = client.form_of_space(people.space, kind).await.unwrap();
    let to = people.own[&hears(who)].tag.to_string();
    let commands = [
        F::Add { id, list: FEEDBACK.to_owned(), after: None, person: people.own[&who].tag },
        F::SetItem { id, field: "to".to_owned(), value: to },
        F::EditItem { id, splice: Splice::insert(0, "You let me finish.") },
    ];
    write(client, feedback, commands.map(|it| Command::Form(kind, it)).to_vec()).await;
}

/// The steward says what the space is. The signer wants no more feedback just now.
async fn charter(people: &People) {
    let (steward, kind) = (people.client(Who::Steward), DocumentKind::Charter);
    let (charter, _) = steward.form_of_space(people.space, kind).await.unwrap();
    let commands = [
        F::Set { field: STAGE.to_owned(), value: "experienced".to_owned() },
        F::Put { set: PURPOSE.to_owned(), value: PRACTICE.to_owned() },
    ];
    write(steward, charter, commands.map(|it| Command::Form(kind, it)).to_vec()).await;
    if people.kind != Kind::Personal {
        let signer = people.client(Who::Signer);
        signer.form_of_space(people.space, kind).await.unwrap();
        let pause = F::Say { op: ItemId([6; 8]), item: None, said: Said::word("no_feedback_now") };
        write(signer, charter, vec![Command::Form(kind, pause)]).await;
    }
}

/// A closing summary that says what it has to.
async fn closing(client: &Client, space: SpaceId) -> Paper {
    let kind = DocumentKind::Closing;
    let document = client.create_document(space, kind).await.unwrap();
    let commands = [
        F::EditText { name: SUMMARY.to_owned(), splice: Splice::insert(0, "What we did, and what is open.") },
        F::Set { field: "ends_on".to_owned(), value: "2026-12-31".to_owned() },
    ];
    write(client, document, commands.map(|it| Command::Form(kind, it)).to_vec()).await;
    client.seal(document).await.unwrap();
    Paper { document, text: form(client, document).await.text.parse().unwrap() }
}

/// Signs for two: the steward and the signer.
async fn sign(people: &People, who: Who, paper: Paper) {
    let two: Vec<PersonTag> = [Who::Steward, Who::Signer].iter().map(|who| people.own[who].tag).collect();
    people.client(who).sign_form(paper.document, paper.text, ("en", day()), Some(&two)).await.unwrap();
}

/// A decision that says what it has to, with an option.
async fn decided(client: &Client, space: SpaceId, session: Option<DocumentId>) -> Paper {
    let document = client.begin_decision(space, session).await.unwrap();
    let says = |id: ItemId, text: &str| D::Edit { id, splice: Splice::insert(0, text) };
    let commands = [
        says(DecisionField::Question.id(), "May I tell the school?"),
        says(DecisionField::Rationale.id(), "She trusts me."),
        says(DecisionField::Choice.id(), "I ask her first."),
        D::Add { id: OPTION, list: DecisionList::Option, after: None },
        says(OPTION, "Say nothing."),
    ];
    write(client, document, commands.map(Command::Decision).to_vec()).await;
    client.seal(document).await.unwrap();
    Paper { document, text: decision(client, document).await.text.parse().unwrap() }
}

async fn seal(client: &Client, document: DocumentId) {
    let seen = decision(client, document).await.text.parse().unwrap();
    client.seal_decision(document, seen, "en", day()).await.unwrap();
}

/// A contract that nobody of these people signed: an office did, in the space of an organisation.
async fn contract_of_an_office() -> Vec<u8> {
    let (office, kind) = (Person::new("Nour").await, DocumentKind::Contract);
    let space = office.client.create_space("An organisation", NewSpace::Group).await.unwrap().space;
    office.client.set_audience(space, Audience::Organisation).await.unwrap();
    let contract = office.client.create_document(space, kind).await.unwrap();
    let texts = ["purpose", "manner", "responsibilities", "assessment_methods", "confidentiality_limits"];
    let said = texts.map(|name| F::EditText { name: name.to_owned(), splice: Splice::insert(0, "As we agreed.") });
    let fields = [("organisation", "The service"), ("attendance_projection", "dates"), ("retention_months", "24")];
    let set = fields.map(|(field, value)| F::Set { field: field.to_owned(), value: value.to_owned() });
    let commands = said.into_iter().chain(set).map(|it| Command::Form(kind, it)).collect();
    write(&office.client, contract, commands).await;
    let seen = form(&office.client, contract).await.text.parse().unwrap();
    office.client.sign_form(contract, seen, ("en", day()), None).await.unwrap();
    let file = office.client.signed_file(contract, day(), "for those whom it binds").await.unwrap();
    office.client.close().await.unwrap();
    file
}

async fn form(client: &Client, document: DocumentId) -> FormView {
    let View::Form(view) = client.view(document).await.unwrap().view else { panic!("a form") };
    view
}

async fn decision(client: &Client, document: DocumentId) -> DecisionView {
    let View::Decision(view) = client.view(document).await.unwrap().view else { panic!("a decision") };
    view
}

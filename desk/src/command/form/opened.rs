//! A form that somebody names, as it is shown now.

use alliance_client::{Code, DocumentId, DocumentRow, SpaceId, View};
use alliance_model::form::{Field, FormItemView, List, Sort, With, check, form_of_space};
use alliance_model::{Command, DocumentKind, FormCommand as Change, FormView, ItemId, RefusalCode};
use serde_json::json;

use crate::cli::ItemArg;
use crate::command::note::{refused, show_document};
use crate::command::{Call, note, reference};
use crate::failure::Failure;
use crate::output::Answer;

/// Which form somebody means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named<'a> {
    /// The one of its kind in a space, by the space.
    OfSpace(DocumentKind, &'a str),
    /// One of several, by its id.
    Document(DocumentKind, &'a str),
}

/// Where a form is.
enum Found {
    Here(DocumentRow),
    /// Nobody has begun the one of this space.
    Nowhere(DocumentKind, SpaceId),
}

impl Named<'_> {
    async fn find(self, call: &Call) -> Result<Found, Failure> {
        match self {
            Self::Document(kind, id) => Ok(Found::Here(reference::document(&call.client, kind, id).await?)),
            Self::OfSpace(kind, space) => {
                let space = reference::space(&call.client, space).await?.space;
                match call.client.find_document(&form_of_space(kind, &space).to_string()).await {
                    Ok(row) => Ok(Found::Here(row)),
                    Err(error) if error.code() == Code::UnknownDocument.code() => Ok(Found::Nowhere(kind, space)),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

/// Shows a form. One that nobody has begun has nothing in it, and `none` says how to begin.
pub(super) async fn show(named: Named<'_>, none: &str, call: &Call) -> Result<(), Failure> {
    match named.find(call).await? {
        Found::Here(row) => show_document(call, &row).await,
        Found::Nowhere(kind, space) => {
            let view = FormView::new(kind, form_of_space(kind, &space).to_string());
            let document = json!({"document": null, "space": space.to_string(), "view": view});
            call.teller.say(&Answer::new(none, json!({"document": document, "changed_by_both": false}))).await;
            Ok(())
        }
    }
}

/// A form that is to be written in. One of which a space has one may not be begun: then it is empty, and the first thing
/// that is written begins it.
pub(super) struct Form {
    pub(super) kind: DocumentKind,
    pub(super) space: SpaceId,
    pub(super) document: DocumentId,
    pub(super) view: FormView,
    /// Whoever writes, by the name that the view gives.
    pub(super) me: String,
    begun: bool,
    revision: u64,
}

impl Form {
    /// The form that somebody means.
    pub(super) async fn open(named: Named<'_>, call: &Call) -> Result<Self, Failure> {
        let (kind, space, document, shown) = match named.find(call).await? {
            Found::Here(row) => (row.kind, row.space, row.document, Some(call.client.view(row.document).await?)),
            Found::Nowhere(kind, space) => (kind, space, form_of_space(kind, &space), None),
        };
        let members = call.client.space(space).await?.members;
        let me = members.into_iter().find(|member| member.me).map(|member| member.name).unwrap_or_default();
        let (begun, revision) = (shown.is_some(), shown.as_ref().map_or(0, |shown| shown.revision));
        let view = match shown.map(|shown| shown.view) {
            Some(view) => form_in(view)?,
            None => FormView::new(kind, document.to_string()),
        };
        Ok(Self { kind, space, document, view, me, begun, revision })
    }

    /// An item that somebody means.
    pub(super) fn item(&self, wanted: &ItemArg) -> Result<&FormItemView, Failure> {
        reference::item(&self.view.items, wanted, |item| item.id)
    }

    /// The list of this name, as the table has it.
    pub(super) fn list(&self, name: &str) -> Result<&'static List, Failure> {
        let form = self.kind.form();
        let unknown = || {
            let lists = form.map(|form| names(form.lists.iter().map(|list| list.name))).unwrap_or_default();
            refused(RefusalCode::UnknownField).with("field", name).with(POSSIBLE, lists)
        };
        form.and_then(|form| form.list(name)).ok_or_else(unknown)
    }

    /// A value in its stored form: people are named as everywhere, and sessions by the first digits of their ids.
    pub(super) async fn stored(
        &self,
        fields: &[Field],
        (name, value): (&str, &str),
        call: &Call,
    ) -> Result<String, Failure> {
        let sort = fields.iter().find(|field| field.name == name).map(|field| field.sort);
        Ok(match sort {
            Some(Sort::Person) => reference::person(&call.client, self.space, value).await?.to_string(),
            Some(Sort::Document) => {
                reference::document(&call.client, DocumentKind::Session, value).await?.document.to_string()
            }
            // The model says what becomes of a field that is none.
            Some(Sort::Line | Sort::Date | Sort::Number(..) | Sort::Word(_)) | None => value.to_owned(),
        })
    }

    /// Writes the changes and says so.
    pub(super) async fn write(&self, changes: Vec<Change>, call: &Call) -> Result<(), Failure> {
        let possible = changes.first().map(|change| self.possible(change)).unwrap_or_default();
        self.written(changes, call).await.map_err(|failure| naming(failure, &possible))
    }

    async fn written(&self, changes: Vec<Change>, call: &Call) -> Result<(), Failure> {
        if !self.begun {
            // What the model refuses begins nothing: an empty document is not left behind.
            let fits = |change: &Change| check(&self.view, change, &self.me);
            changes.iter().try_for_each(fits).map_err(alliance_client::Error::Refused)?;
        }
        if !changes.is_empty() {
            self.begin(call).await?;
        }
        let changes = changes.into_iter().map(|change| Command::Form(self.kind, change)).collect();
        note::write(call, self.document, self.revision, changes).await
    }

    /// Adds an item, and returns its id.
    pub(super) async fn add(
        &self,
        list: &List,
        fields: &[(&str, &str)],
        text: &str,
        call: &Call,
    ) -> Result<ItemId, Failure> {
        let possible = names(list.fields.iter().map(|field| field.name));
        let added = async {
            let item = if self.begun {
                call.client.add_to_form(self.document, list.name, fields, text).await?
            } else {
                call.client.add_to_space((self.space, self.kind), list.name, fields, text).await?.1
            };
            note::seal(call, self.document).await?;
            Ok(item)
        };
        added.await.map_err(|failure| naming(failure, &possible))
    }

    async fn begin(&self, call: &Call) -> Result<(), Failure> {
        if !self.begun {
            call.client.form_of_space(self.space, self.kind).await?;
        }
        Ok(())
    }

    /// What a change could have named instead.
    fn possible(&self, change: &Change) -> String {
        let Some(form) = self.kind.form() else { return String::new() };
        let list_of = |id: &ItemId| self.view.item(*id).and_then(|item| form.list(&item.list));
        let fields = |fields: &[Field]| names(fields.iter().map(|field| field.name));
        match change {
            Change::EditText { .. } => names(form.texts.iter().copied()),
            Change::Set { .. } | Change::Clear { .. } => fields(form.fields),
            Change::Put { .. } | Change::Take { .. } => fields(form.sets),
            Change::Add { .. } => names(form.lists.iter().map(|list| list.name)),
            Change::SetItem { id, .. } => list_of(id).map(|list| fields(list.fields)).unwrap_or_default(),
            Change::Say { item, said, .. } => {
                let words = item.as_ref().map_or(Some(form.words), |id| list_of(id).map(|list| list.words));
                let word = words.unwrap_or_default().iter().find(|word| word.name == said.word);
                let with = word.map(|word| word.with).unwrap_or_default();
                names(with.iter().map(|with| match with {
                    With::Date => "on",
                    With::Number(_) => "number",
                    With::Text => "text",
                }))
            }
            Change::EditItem { .. } | Change::Remove { .. } | Change::Sign { .. } | Change::Keep { .. } => {
                String::new()
            }
        }
    }
}

/// The parameter that names what is possible.
const POSSIBLE: &str = "fields";

/// Says with a refusal of a name which names there are.
fn naming(failure: Failure, possible: &str) -> Failure {
    if failure.code != RefusalCode::UnknownField.code() {
        return failure;
    }
    failure.with(POSSIBLE, if possible.is_empty() { "none" } else { possible })
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The form that a view is.
pub(super) fn form_in(view: View) -> Result<FormView, Failure> {
    let View::Form(form) = view else { return Err(refused(RefusalCode::WrongKind)) };
    Ok(form)
}

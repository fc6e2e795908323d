//! Working agreements.

mod version;

use alliance_client::{DocumentView, View, item_id};
use alliance_model::agreement::{ClauseView, Modality, ProtectiveValue, Term};
use alliance_model::policy::{Pack, Template};
use alliance_model::{AgreementCommand as Change, AgreementView, Command, DocumentKind, ItemId};
use serde_json::{Value, json};

use super::note::{list, refused, seal, show_document, unknown_item, write};
use super::pack::has_template;
use super::{Call, reference};
use crate::cli::{AgreementCommand, AgreementEdit, ItemArg, NamedValue};
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::short;
use crate::{show, splice};

pub(super) async fn agreement(command: &AgreementCommand, call: &Call) -> Result<(), Failure> {
    match command {
        AgreementCommand::New { space, template } => new(space, template.as_deref(), call).await,
        AgreementCommand::Templates { space } => templates(space, call).await,
        AgreementCommand::Template { agreement, name } => {
            let row = reference::document(&call.client, DocumentKind::Agreement, agreement).await?;
            has_template(row.space, name, call).await?;
            call.client.apply_template(row.document, name).await?;
            seal(call, row.document).await?;
            let revision = call.client.view(row.document).await?.revision;
            let json = json!({"document": row.document.to_string(), "template": name, "revision": revision});
            call.teller.say(&Answer::new("It is copied in, behind what was there. Saved on this device.", json)).await;
            Ok(())
        }
        AgreementCommand::Show { agreement } => {
            let row = reference::document(&call.client, DocumentKind::Agreement, agreement).await?;
            show_document(call, &row).await
        }
        AgreementCommand::Edit(args) => edit(args, call).await,
        AgreementCommand::Clause { agreement, clause, understood, remark } => {
            about(agreement, clause, (*understood, remark.as_deref()), call).await
        }
        AgreementCommand::Propose { agreement, dated } => version::propose(agreement, dated, call).await,
        AgreementCommand::Sign { agreement, version, dated } => {
            version::sign(agreement, version.as_deref(), dated, call).await
        }
        AgreementCommand::Give { agreement, version, given } => {
            version::give(agreement, version.as_deref(), given, call).await
        }
        AgreementCommand::Versions { agreement, show, as_of } => {
            version::versions(agreement, show.as_deref(), *as_of, call).await
        }
        AgreementCommand::List(filter) => list(filter, DocumentKind::Agreement, call).await,
    }
}

async fn new(space: &str, template: Option<&str>, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    if let Some(name) = template {
        // Before anything is begun, so that a name that is none leaves no empty agreement behind.
        has_template(space, name, call).await?;
    }
    let document = call.client.create_document(space, DocumentKind::Agreement).await?;
    if let Some(name) = template {
        call.client.apply_template(document, name).await?;
        seal(call, document).await?;
    }
    let text = format!(
        "The agreement is begun: {document}\nWrite with `alliance agreement edit {}`; --help shows how.",
        short(&document)
    );
    call.teller.say(&Answer::new(text, json!({"document": document.to_string()}))).await;
    Ok(())
}

/// Lists the templates of a space with the packs that they are from, in the order in which a name is looked up.
async fn templates(space: &str, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    let packs = call.client.packs(space).await?;
    let packs: Vec<&Pack> = packs.iter().chain([Pack::shipped()]).collect();
    let of = |pack: &Pack| pack.templates.iter().map(|it| template(it, &pack.name)).collect::<Vec<_>>();
    let templates: Vec<Value> = packs.iter().flat_map(|pack| of(pack)).collect();
    call.teller.say(&Answer::new(show::pack::templates(&packs, call.look()), json!({"templates": templates}))).await;
    Ok(())
}

fn template(template: &Template, pack: &str) -> Value {
    json!({"name": template.name, "language": template.language, "title": template.title, "pack": pack})
}

async fn edit(args: &AgreementEdit, call: &Call) -> Result<(), Failure> {
    let row = reference::document(&call.client, DocumentKind::Agreement, &args.agreement).await?;
    let view = call.client.view(row.document).await?;
    let agreement = agreement_of(&view)?;
    let mut changes = terms(args)?;
    if let Some(protect) = args.protect {
        changes.push(protected(agreement, protect.0, args.lift)?);
    }
    let mut nothing_differs = false;
    if args.add.is_some() || args.clause.is_some() {
        let clause = clause(agreement, args, call.text_if_any())?;
        nothing_differs = clause.is_empty() && args.source.is_given();
        changes.extend(clause);
    } else if args.source.is_given() {
        return Err(Failure::from(DeskCode::Usage).with("missing", "--add or --clause"));
    }
    if changes.is_empty() && !nothing_differs {
        return Err(Failure::from(DeskCode::Usage).with("missing", "what to change"));
    }
    write(call, row.document, view.revision, changes.into_iter().map(Command::Agreement).collect()).await
}

/// What somebody says about a clause.
async fn about(
    reference: &str,
    clause: &ItemArg,
    (understood, remark): (bool, Option<&str>),
    call: &Call,
) -> Result<(), Failure> {
    let row = reference::document(&call.client, DocumentKind::Agreement, reference).await?;
    let view = call.client.view(row.document).await?;
    let clause = wanted_clause(agreement_of(&view)?, clause)?;
    let mut changes = Vec::new();
    if let Some(text) = remark {
        changes.push(Change::Remark { id: clause.id, op: item_id()?, text: text.to_owned() });
    }
    if understood {
        changes.push(Change::Understand { id: clause.id, op: item_id()?, wording: clause.wording() });
    }
    write(call, row.document, view.revision, changes.into_iter().map(Command::Agreement).collect()).await
}

pub(super) fn agreement_of(view: &DocumentView) -> Result<&AgreementView, Failure> {
    let View::Agreement(agreement) = &view.view else { return Err(refused(alliance_model::RefusalCode::WrongKind)) };
    Ok(agreement)
}

fn terms(args: &AgreementEdit) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    for NamedValue { name, value } in &args.set {
        let term = Term::from_text(*name, value).ok_or_else(|| Failure::from(DeskCode::BadTerm).with("term", name))?;
        changes.push(Change::SetTerm { term });
    }
    changes.extend(args.clear.iter().map(|name| Change::ClearTerm { name: *name }));
    Ok(changes)
}

/// An entry in a protective term's log; with `lift`, one that agrees to let go of the stricter values that stand.
fn protected(agreement: &AgreementView, value: ProtectiveValue, lift: bool) -> Result<Change, Failure> {
    let entries = agreement.protective(value.term).map_or(&[][..], |term| &term.entries);
    let stricter = entries.iter().filter(|entry| {
        !entry.lifted
            && ProtectiveValue::from_name(value.term, &entry.value).is_none_or(|stands| stands.rank() < value.rank())
    });
    let lifts = if lift { stricter.map(|entry| entry.op).collect() } else { Vec::new() };
    Ok(Change::Protect { op: item_id()?, value, lifts })
}

fn clause(agreement: &AgreementView, args: &AgreementEdit, text: Option<&str>) -> Result<Vec<Change>, Failure> {
    let after = match &args.after {
        Some(after) => Some(wanted_clause(agreement, after)?.id),
        None => None,
    };
    let mut changes = Vec::new();
    let (id, old) = match (args.add, &args.clause) {
        (Some(section), _) => {
            let id = item_id()?;
            let last = || agreement.clauses.last().map(|clause| clause.id);
            let modality = args.modality().unwrap_or(Modality::May);
            changes.push(Change::AddClause { id, section, modality, after: after.or_else(last) });
            (id, "")
        }
        (None, Some(wanted)) => {
            let clause = wanted_clause(agreement, wanted)?;
            if args.remove {
                return Ok(vec![Change::RemoveClause { id: clause.id }]);
            }
            changes.extend(moved(clause.id, after, args.modality()));
            (clause.id, clause.text.text.as_str())
        }
        (None, None) => return Ok(changes),
    };
    let splices = text.map(|text| splice::splices(old, text)).unwrap_or_default();
    changes.extend(splices.into_iter().map(|splice| Change::EditClause { id, splice }));
    Ok(changes)
}

fn moved(id: ItemId, after: Option<ItemId>, modality: Option<Modality>) -> impl Iterator<Item = Change> {
    let said = modality.map(|modality| Change::SetModality { id, modality });
    let moved = after.map(|after| Change::MoveClause { id, after: Some(after) });
    said.into_iter().chain(moved)
}

fn wanted_clause<'a>(agreement: &'a AgreementView, wanted: &ItemArg) -> Result<&'a ClauseView, Failure> {
    let mut fitting = agreement.clauses.iter().filter(|clause| wanted.fits(clause.id));
    match (fitting.next(), fitting.next()) {
        (Some(clause), None) => Ok(clause),
        (Some(_), Some(_)) => Err(alliance_client::Error::new(alliance_client::Code::AmbiguousSpace).into()),
        (None, _) => Err(unknown_item(wanted)),
    }
}

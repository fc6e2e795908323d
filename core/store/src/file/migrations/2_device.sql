-- Full-text search over what is shown (docs/decisions/0010-search.md).

-- What a list row was searched by until now.
alter table listing drop column search;

-- The words of each document by its row, folded and taken apart by the caller and separated by spaces: the simplest
-- tokenizer takes every character beyond ASCII for a letter, so nothing here depends on SQLite's tables of Unicode.
-- The beginnings of words have indexes of their own: one or two characters begin many words.
create virtual table words using fts5(title, body, tokenize = 'ascii', prefix = '1 2');
-- A word in a title counts as four.
insert into words(words, rank) values ('rank', 'bm25(4.0, 1.0)');

-- What the words of a document were made from.
create table searched(
  document integer primary key,
  -- The way in which text was taken apart.
  version integer not null,
  heads blob not null,
  -- The draft that was open, and how many of its commands.
  draft blob,
  commands integer not null,
  -- All of the document's text, or as much as is searched.
  whole integer not null
);

-- The texts as they were written, with their places: what snippets are cut from. Apart, so that going through the rows
-- above reads none of them.
create table search_text(document integer primary key, parts blob not null);

-- Listed and not searched yet: there are no words of it, or not those of what is shown now.
create table unsearched(
  document integer primary key,
  -- The last way of taking text apart under which it was tried, and failed.
  tried integer not null default 0
);
insert into unsearched(document) select document from listing;

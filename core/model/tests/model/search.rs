//! What is a word, in which script, and what counts as the same: a table of texts, what finds them, what does not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_model::RefusalCode;
use alliance_model::search::{Part, QUERY_PHRASES_MAX, QUERY_SCALARS_MAX, Query, append_terms, find};

fn part(text: &str) -> Vec<Part> {
    vec![Part { place: "sections.focus".into(), text: text.into() }]
}

/// The marked stretches of a text, as they were written.
fn marked(text: &str, query: &str) -> Option<Vec<String>> {
    let found = find(&Query::parse(query).unwrap(), &part(text))?;
    let letters: Vec<char> = text.chars().collect();
    let stretch = |mark: &alliance_model::search::Mark| {
        let shown: String = found.snippet.text.chars().skip(mark.start).take(mark.len).collect();
        let start = found.snippet.start + mark.start;
        let written: String = letters[start..start + mark.len].iter().collect();
        assert_eq!(shown, written, "a mark stands at its place in the text");
        written
    };
    Some(found.snippet.marks.iter().map(stretch).collect())
}

#[track_caller]
fn finds(text: &str, queries: &[(&str, &[&str])]) {
    for (query, expected) in queries {
        let found = marked(text, query).unwrap_or_else(|| panic!("{query:?} is not found in {text:?}"));
        assert_eq!(found, *expected, "{query:?} in {text:?}");
    }
}

#[track_caller]
fn misses(text: &str, queries: &[&str]) {
    for query in queries {
        assert_eq!(marked(text, query), None, "{query:?} in {text:?}");
    }
}

#[test]
fn latin_case_and_marks_do_not_matter() {
    let text = "Élodie was in Łódź, at the Straße near Smørrebrød. L’école était fermée: 12½ hours.";
    finds(
        text,
        &[
            ("elodie", &["Élodie"]),
            ("ÉLODIE", &["Élodie"]),
            ("E\u{301}lodie", &["Élodie"]),
            ("lodz", &["Łódź"]),
            ("strasse", &["Straße"]),
            ("smorre", &["Smørrebrød"]),
            ("ecole", &["école"]),
            ("l'école", &["L’école"]),
            ("\"the strasse\"", &["the Straße"]),
            ("12", &["12½"]),
        ],
    );
    // Quotation marks ask for whole words, in their order.
    misses(text, &["\"smorre\"", "\"strasse the\"", "odie", "absent"]);
    finds(
        "İstanbul ısınmak ﬁne Σίσυφος",
        &[("istanbul", &["İstanbul"]), ("isinmak", &["ısınmak"]), ("fine", &["ﬁne"]), ("σισυφοσ", &["Σίσυφος"])],
    );
}

#[test]
fn amharic_is_found_whatever_letter_was_chosen() {
    let text = "ጤና ይስጥልኝ። ዓለም ፀሐይ ትወጣለች፤ ሠራተኛው ወደ ቤት ሄደ።";
    finds(
        text,
        &[
            ("ጤና", &["ጤና"]),
            ("ቤት", &["ቤት"]),
            ("አለም", &["ዓለም"]),
            ("ጸሀይ", &["ፀሐይ"]),
            ("ሰራተኛ", &["ሠራተኛው"]),
            ("ቤት ጤና", &["ጤና", "ቤት"]),
        ],
    );
    misses(text, &["ቤተ", "\"ሰራተኛ\""]);
}

#[test]
fn arabic_is_found_with_and_without_marks() {
    let text = "قَالَتِ الأُمُّ: إِنَّ الـمَدْرَسَة مُغْلَقَة. آمنة هُنا ٢٠٢٦";
    finds(
        text,
        &[
            ("قالت", &["قَالَتِ"]),
            ("قَالَتِ", &["قَالَتِ"]),
            ("الام", &["الأُمُّ"]),
            ("ان", &["إِنَّ"]),
            ("المدرسه", &["الـمَدْرَسَة"]),
            ("المدرسة", &["الـمَدْرَسَة"]),
            ("امنه", &["آمنة"]),
            ("2026", &["٢٠٢٦"]),
            ("۲۰۲۶", &["٢٠٢٦"]),
        ],
    );
    misses(text, &["مدرسين", "\"الام قالت\""]);
    finds("שָׁלוֹם לכולם, צה\"ל", &[("שלום", &["שָׁלוֹם"]), ("צה\"ל", &["צה\"ל"])]);
    finds("می‌خواهم کتاب", &[("میخواهم", &["می‌خواهم"]), ("كتاب", &["کتاب"])]);
}

#[test]
fn khmer_thai_and_myanmar_need_no_spaces() {
    finds("ខ្ញុំទៅមណ្ឌលសុខភាពជាមួយម្តាយ", &[("សុខភាព", &["សុខភាព"]), ("មណ្ឌល", &["មណ្ឌល"]), ("ម្តាយ", &["ម្តាយ"]), ("ទៅ", &["ទៅ"])]);
    misses("ខ្ញុំទៅមណ្ឌលសុខភាព", &["ម្តាយ", "សុខភាគ"]);
    // A break that shows nothing, which some programs put between words.
    finds("សុខ\u{200B}ភាព", &[("សុខភាព", &["សុខ\u{200B}ភាព"])]);
    finds("แม่ไปโรงพยาบาลเมื่อวาน", &[("โรงพยาบาล", &["โรงพยาบาล"]), ("แม่", &["แม่"])]);
    // The tone makes another word.
    misses("แม่ไปโรงพยาบาล", &["แม้"]);
    finds("ကျွန်တော်ဆေးရုံသွားတယ်", &[("ဆေးရုံ", &["ဆေးရုံ"])]);
}

#[test]
fn chinese_japanese_and_korean_of_any_length() {
    let text = "奶奶不让我进厨房。我觉得很羞愧,第二天去了山";
    finds(
        text,
        &[
            ("厨房", &["厨房"]),
            ("奶奶不让", &["奶奶不让"]),
            ("羞愧", &["羞愧"]),
            ("我", &["我", "我"]),
            ("山", &["山"]),
            ("去了山", &["去了山"]),
            ("厨房 羞愧", &["厨房", "羞愧"]),
        ],
    );
    misses(text, &["房厨", "奶奶让", "第三", "水"]);
    finds("がんばる学校のカード", &[("学校", &["学校"]), ("ｶｰﾄﾞ", &["カード"]), ("が", &["が"])]);
    misses("がんばる", &["か"]);
    finds("초등학교에서 만났다", &[("학교", &["학교"]), ("초등학교", &["초등학교"])]);
}

#[test]
fn emoji_and_mixed_scripts() {
    finds(
        "Good day 👍🏽 for iPhone手机 and 手机iPhone ❤️ 👩‍👧",
        &[
            ("👍", &["👍🏽"]),
            ("👍🏿", &["👍🏽"]),
            ("❤", &["❤️"]),
            ("iphone手机", &["iPhone手机"]),
            ("手机iPhone", &["手机iPhone"]),
            ("👩‍👧", &["👩‍👧"]),
            ("手机", &["手机", "手机"]),
        ],
    );
    misses("Good day 👍🏽", &["👎", "😀"]);
}

#[test]
fn any_input_is_a_query_or_a_clear_refusal() {
    let text = "Salt AND pepper NOT (sugar*) title: \"near\" 100% a-b c_d NEAR/2 {x}";
    for query in
        ["salt*", "title:", "\"near", "NOT", "(sugar*)", "100%", "a-b", "NEAR/2", "{x}", "^salt", "a - b", "c_d"]
    {
        assert!(marked(text, query).is_some(), "{query}");
    }
    // Every word is looked for where it stands; that all must be there is the index's part.
    misses(text, &["OR", "absent", "col:near"]);
    let refused = |query: &str| Query::parse(query).unwrap_err().code;
    for empty in ["", "   ", "\"\"", "*", "%_-", "\0", "\u{200F}\u{202E}", "\u{301}", "?!。،"] {
        assert_eq!(refused(empty), RefusalCode::QueryEmpty, "{empty:?}");
    }
    assert_eq!(refused(&"a ".repeat(5_000)), RefusalCode::QueryTooLong);
    assert_eq!(refused(&"山".repeat(10_000)), RefusalCode::QueryTooLong);
    let many: Vec<String> = (0..=QUERY_PHRASES_MAX).map(|n| format!("w{n}")).collect();
    assert_eq!(refused(&many.join(" ")), RefusalCode::QueryTooLong);
    assert!(Query::parse(&many[1..].join(" ")).is_ok());
    assert!(Query::parse(&"山".repeat(QUERY_SCALARS_MAX)).is_ok());
    // The same word twice is one; NUL and other controls end a word.
    assert_eq!(Query::parse("one One ONE").unwrap().phrases().len(), 1);
    assert!(marked("the door", "the\0door").is_some());
}

#[test]
fn terms_are_letters_digits_and_nothing_that_an_index_takes_for_syntax() {
    let mut terms = String::new();
    let text = "\"Quote\" '); drop -- …½㈱ e\u{301}\0x ABC_def \u{F8FF} ";
    append_terms(&mut terms, text);
    append_terms(&mut terms, "next");
    let all: Vec<&str> = terms.split_whitespace().collect();
    let good = |term: &str| term.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric());
    assert!(all.iter().all(|term| good(term)), "{all:?}");
    assert!(all.starts_with(&["quote", "drop"]) && all.ends_with(&["\u{F8FF}", "next"]), "{all:?}");
    assert_eq!(all.iter().filter(|term| **term == "\u{F8FF}").count(), 1, "nobody writes the boundary: {all:?}");
}

#[test]
fn snippets_show_the_best_place_and_stay_small() {
    let filler = "nothing of it here. ".repeat(200);
    let parts = vec![
        Part { place: "sections.focus".into(), text: "the kitchen".into() },
        Part { place: "sections.close".into(), text: format!("{filler}the locked kitchen of Ámina{filler}") },
        Part { place: "title".into(), text: "Kitchen".into() },
    ];
    let found = find(&Query::parse("kitchen amina").unwrap(), &parts).unwrap();
    assert_eq!((found.place.as_str(), found.places), ("sections.close", 3));
    let snippet = found.snippet;
    assert!(snippet.before && snippet.after && snippet.text.contains("locked kitchen of Ámina"), "{snippet:?}");
    assert!(snippet.text.chars().count() <= 200, "{snippet:?}");
    assert!(snippet.text.starts_with(|c: char| c.is_alphanumeric()) && !snippet.text.ends_with("noth"), "{snippet:?}");
    assert_eq!(snippet.marks.len(), 2);
    // A letter with fifty thousand marks is shown in part, and nothing is cut inside a scalar value.
    let zalgo = format!("x {}", "a\u{301}".to_owned() + &"\u{302}".repeat(50_000));
    let found = find(&Query::parse("a").unwrap(), &part(&zalgo)).unwrap();
    assert!(found.snippet.text.len() < 4_000 && found.snippet.marks.len() == 1);
    // The longest text that a section may hold, in one word, in one character, in words.
    for text in ["x".repeat(50_000), "山".repeat(50_000), "ab ".repeat(16_666)] {
        let query: String = text.chars().take(2).collect();
        let found = find(&Query::parse(&query).unwrap(), &part(&text)).unwrap();
        assert!(found.snippet.text.len() < 4_000);
        let mut terms = String::new();
        append_terms(&mut terms, &text);
        println!("{} bytes of text, {} of terms", text.len(), terms.len());
        assert!(terms.len() <= 3 * text.len() + 16);
    }
}

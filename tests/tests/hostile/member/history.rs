//! What is kept and not shown is told in a note's history: whose signature it carries, and why.

use alliance_tests::relay::watched;

use super::scene::{Scene, write};

#[tokio::test]
async fn a_parked_change_is_listed_and_cannot_be_looked_at() {
    watched(async {
        let mut scene = Scene::new(4).await;
        let change = scene.change(scene.note, 0, "Mallory was here. ");
        // The same change twice: as it was made, and under an actor that is not the one that made it.
        for actor in [0, 1] {
            let place = scene.mallory.place().await;
            let changes = scene.mallory.changes(scene.note, actor, vec![change.clone()]);
            let entry = scene.mallory.entry(&place, changes);
            scene.mallory.store(vec![entry]).await;
        }
        let met = scene.mallory.visit(&scene.amina, |_| Vec::new()).await;
        assert!(met.settled, "{met:?}");
        let page = scene.amina.history(scene.note, 0, 10).await.unwrap();
        assert_eq!(page.total, 3);
        let parked: Vec<_> = page.versions.iter().filter(|version| version.not_shown.is_some()).collect();
        let found = (parked.len(), parked[0].by.as_str(), parked[0].not_shown.as_deref());
        assert_eq!(found, (1, "Mallory", Some("ACTOR")));
        let refused = scene.amina.view_version(scene.note, &parked[0].version).await.unwrap_err();
        assert_eq!(refused.code(), "VERSION_NOT_SHOWN");
        let refused = scene.amina.compare_versions(scene.note, &parked[0].version, None).await.unwrap_err();
        assert_eq!(refused.code(), "VERSION_NOT_SHOWN");
        // The control: the one that is shown can be looked at, under the same name.
        let shown = page.versions.iter().find(|it| it.by == "Mallory" && it.not_shown.is_none()).unwrap();
        let then = scene.amina.view_version(scene.note, &shown.version).await.unwrap();
        assert!(serde_json::to_string(&then).unwrap().contains("Mallory was here. "));
        // The history goes on.
        write(&scene.amina, scene.note, "On. ").await;
        assert_eq!(scene.amina.history(scene.note, 0, 10).await.unwrap().versions[0].by, "Amina");
        scene.site.stop().await;
    })
    .await;
}

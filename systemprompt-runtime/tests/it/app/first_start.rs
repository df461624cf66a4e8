use std::os::unix::fs::PermissionsExt as _;

use systemprompt_core::database::{DatabaseOptions, DbPool};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn it_makes_an_installation_for_its_owner_alone_and_records_it() {
    let installation = Installation::new();
    let served = installation.serve().await;
    let data = installation.data();
    assert_eq!(mode(&data), 0o700);
    for file in ["admin.key", "user.key", "profile.yaml", "systemprompt.db"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    let key = key(&data, "user");
    assert!(key.starts_with("sp_live_") && !key.contains(char::is_whitespace));
    for (kind, count) in [("user_created", 2), ("key_created", 2), ("schema_migrated", 1)] {
        assert_eq!(events(&served.app, kind).await, count, "{kind}");
    }
    assert_eq!(verdict(&served.govern("Read").await), "allow");
    served.stop().await;
}

#[tokio::test]
async fn a_second_start_reuses_everything() {
    let installation = Installation::new();
    installation.start().await.unwrap().shutdown().await;
    let key_before = key(&installation.data(), "user");
    let config = installation.config().unwrap();
    let made = first_start(&config, &no_extensions(), SystemClock::shared()).await.unwrap();
    assert_eq!(made, None);
    let served = installation.serve().await;
    assert_eq!(key(&installation.data(), "user"), key_before);
    assert_eq!(verdict(&served.govern("Read").await), "allow");
    assert_eq!(events(&served.app, "server_started").await, 2);
    assert_eq!(events(&served.app, "server_stopped").await, 1);
    served.stop().await;
}

#[tokio::test]
async fn a_lost_profile_is_not_replaced_by_one_that_may_allow_more() {
    let installation = Installation::new();
    installation.start().await.unwrap().shutdown().await;
    let data = installation.data();
    fs::remove_file(data.join("profile.yaml")).unwrap();
    let error = starter_profile(&data).unwrap_err().to_string();
    assert!(error.contains("profile.yaml` although the database"), "{error}");
    assert!(!data.join("profile.yaml").exists());
}

#[tokio::test]
async fn what_a_crash_left_behind_is_begun_anew() {
    let installation = Installation::new();
    let profile = installation.profile();
    let data = installation.data();
    // As after a crash between the keys and the last step.
    for file in ["systemprompt.db.first-start", "systemprompt.db.first-start-wal", "admin.key"] {
        fs::write(data.join(file), "half").unwrap();
    }
    fs::write(data.join("user.key.new"), "half").unwrap();
    let mine = fs::read_to_string(&profile).unwrap() + "\n# mine\n";
    fs::write(&profile, &mine).unwrap();

    let served = installation.serve().await;
    assert_eq!(verdict(&served.govern("Read").await), "allow");
    assert_eq!(fs::read_to_string(&profile).unwrap(), mine, "the profile is kept");
    let names: Vec<_> = fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.contains("first-start") || name.ends_with(".new")));
    served.stop().await;
}

#[tokio::test]
async fn of_two_at_once_one_makes_the_installation() {
    let installation = Installation::new();
    let (config, extensions) = (installation.config().unwrap(), no_extensions());
    let start = || first_start(&config, &extensions, SystemClock::shared());
    let (one, other) = tokio::join!(start(), start());
    let made = [one.unwrap(), other.unwrap()].into_iter().flatten().count();
    assert_eq!(made, 1);
    let served = installation.serve().await;
    assert_eq!(verdict(&served.govern("Read").await), "allow");
    served.stop().await;
}

fn installed_files(data: &Path) -> Vec<String> {
    let entries = fs::read_dir(data).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn what_another_database_left_is_never_taken_in() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let installation = Installation::new();
        installation.start().await.unwrap().shutdown().await;
        let data = installation.data();
        let keys = (key(&data, "admin"), key(&data, "user"));
        fs::remove_file(data.join("systemprompt.db")).unwrap();
        let left = data.join(format!("systemprompt.db{suffix}"));
        fs::write(&left, "old").unwrap();

        let error = installation.start().await.unwrap_err().to_string();
        assert!(error.contains(&format!("systemprompt.db{suffix}`")), "{error}");
        assert!(!data.join("systemprompt.db").exists());
        assert_eq!(fs::read(&left).unwrap(), b"old");
        assert_eq!((key(&data, "admin"), key(&data, "user")), keys);
    }
}

#[tokio::test]
async fn the_keys_of_an_earlier_installation_are_moved_aside() {
    let installation = Installation::new();
    installation.start().await.unwrap().shutdown().await;
    let data = installation.data();
    let before = key(&data, "user");
    fs::remove_file(data.join("systemprompt.db")).unwrap();

    let config = installation.config().unwrap();
    let made = first_start(&config, &no_extensions(), SystemClock::shared()).await.unwrap();
    let aside = made.unwrap().moved_aside;
    assert_eq!(aside.len(), 3);
    assert!(aside.iter().any(|path| fs::read_to_string(path).unwrap() == before));
    for path in &aside {
        let name = path.to_string_lossy();
        let expected = name.contains(".key.old-") || name.contains("checkpoints.log.old-");
        assert!(expected, "{name}");
        assert_eq!(mode(path), 0o600);
    }
    assert_ne!(key(&data, "user"), before);
    assert!(installed_files(&data).contains(&"admin.key".to_owned()));
}

#[tokio::test]
async fn a_file_that_is_no_database_of_ours_is_not_an_installation() {
    let installation = Installation::new();
    installation.profile();
    let path = installation.data().join("systemprompt.db");
    fs::write(&path, "").unwrap();
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("the file is empty"), "{error}");

    fs::remove_file(&path).unwrap();
    let url = format!("sqlite://{}", path.display());
    let other = DbPool::open(&DatabaseOptions::new(url).create(true)).await.unwrap();
    sqlx::raw_sql("CREATE TABLE theirs (a)").execute(other.sqlite().unwrap()).await.unwrap();
    other.close().await;
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("nothing of ours is installed"), "{error}");
    assert!(!installation.data().join("admin.key").exists());
}

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A database of one test; it is dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes one on the server that `url` names.
    pub(crate) async fn on_server(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("systemprompt_test_{}_{number}", std::process::id());
        let mut connection = connect(url).await;
        run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        let create = format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        );
        run(&mut connection, create).await;
        connection.close().await.expect("the server");
        Self { server: url.to_owned(), name }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        let (before, parameters) = match self.server.split_once('?') {
            Some((before, parameters)) => (before, format!("?{parameters}")),
            None => (self.server.as_str(), String::new()),
        };
        let (_, rest) = before.split_once("://").expect("a URL");
        let place = rest.split_once('/').map_or(rest, |(place, _)| place);
        format!("postgres://{place}/{}{parameters}", self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own: this one may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let options: PgConnectOptions = url.parse().expect("a URL");
                if let Ok(mut connection) = options.connect().await {
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    let _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// Connects, waiting for a server that is starting.
async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a URL of PostgreSQL");
    let start = Instant::now();
    loop {
        match options.connect().await {
            Ok(connection) => return connection,
            Err(error) if start.elapsed() > START => panic!("the server does not answer: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.expect("the server");
}

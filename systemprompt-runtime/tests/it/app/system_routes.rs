use super::*;

#[tokio::test]
async fn health_discovery_and_metrics_need_no_credential() {
    let installation = Installation::new();
    let served = installation.serve().await;
    for path in ["/health", "/health/ready", "/metrics", "/api/v1", "/api/v1/openapi.json"] {
        let reply = served.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert_eq!(reply.header("x-trace-id").map(str::len), Some(32), "{path}");
    }
    let links = served.get("/api/v1").await.json()["links"].clone();
    for link in links.as_object().unwrap().values() {
        let path = link.as_str().unwrap().replace("{id}", "x").replace("{trace_id}", "x");
        assert_ne!(served.get(&path).await.status, 404, "{path}");
    }
    served.stop().await;
}

#[tokio::test]
async fn what_is_on_no_route_is_a_problem_document() {
    let installation = Installation::new();
    let served = installation.serve().await;
    for (method, path, status) in
        [("GET", "/nowhere", 404), ("POST", "/health", 405), ("GET", "/api/v1/govern", 405)]
    {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let reply = ask(served.addr, request).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.json()["trace_id"].as_str(), reply.header("x-trace-id"));
        assert_eq!(reply.header("allow").is_some(), status == 405, "{method} {path}");
    }
    served.stop().await;
}

#[tokio::test]
async fn metrics_hold_nothing_a_caller_sent() {
    let installation = Installation::new();
    let served = installation.serve().await;
    served.govern("delete_marker_tool").await;
    served.get("/marker-path?marker-query").await;
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nUser-Agent: marker-agent\r\n\r\n";
    ask(served.addr, request).await;
    let metrics = served.get("/metrics").await.body;
    assert!(!metrics.contains("marker"), "{metrics}");
    assert!(metrics.contains(
        "systemprompt_decisions_total{door=\"api\",decision=\"deny\",reason=\"blocked\"} 1\n"
    ));
    assert!(
        metrics.contains(
            "systemprompt_http_requests_total{route=\"/api/v1/govern\",status=\"200\"} 1\n"
        )
    );
    assert!(
        metrics.contains("systemprompt_http_requests_total{route=\"other\",status=\"404\"} 1\n")
    );
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_database_that_is_gone_is_not_ready_until_it_is_back() {
    let installation = Installation::new();
    let served = installation.serve().await;
    let file = installation.data().join("systemprompt.db");
    let aside = installation.data().join("aside");
    fs::rename(&file, &aside).unwrap();
    let reply = served.get("/health/ready").await;
    assert_eq!((reply.status, reply.json()["status"].as_str()), (503, Some("unavailable")));
    assert_eq!(verdict(&served.govern("Read").await), "audit_unavailable");
    fs::rename(&aside, &file).unwrap();
    until("it decides again", async || verdict(&served.govern("Read").await) == "allow").await;
    until("it is ready", async || served.get("/health/ready").await.status == 200).await;
    served.stop().await;
}

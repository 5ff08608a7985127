use std::io::{Read, Write};
use std::net::TcpListener;

use medshare_chain::{Address, Chain, ChainConfig, ChainError};
use serde_json::json;

use crate::world::{deployed, start};

#[tokio::test]
async fn an_address_without_code_is_no_contract() {
    let anvil = start().await;
    let address = Address::repeat_byte(9);
    let error = Chain::connect(&ChainConfig::new(&anvil.rpc_url, address))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ChainError::NotAContract {
                chain_id: 31_337,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains(&address.to_string()));
}

#[tokio::test]
async fn another_contract_is_not_medshare() {
    let anvil = start().await;
    let address = Address::repeat_byte(9);
    // One that reverts, one that stops without an answer.
    for code in ["0x60006000fd", "0x00"] {
        anvil
            .request("anvil_setCode", json!([address, code]))
            .await
            .unwrap();
        let error = Chain::connect(&ChainConfig::new(&anvil.rpc_url, address))
            .await
            .unwrap_err();
        assert!(matches!(error, ChainError::NotMedShare { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_copy_of_the_code_is_a_medshare_of_its_own() {
    let anvil = start().await;
    let real = deployed(&anvil).await;
    let code = real.code_at(real.contract()).await.unwrap();
    let copy = Address::repeat_byte(9);
    anvil
        .request("anvil_setCode", json!([copy, code]))
        .await
        .unwrap();
    let answer = Chain::connect(&ChainConfig::new(&anvil.rpc_url, copy)).await;
    // OpenZeppelin computes the domain anew where it is not at home.
    let chain = answer.unwrap();
    assert_eq!(chain.contract(), copy);
    assert_eq!(chain.custodian_count().await.unwrap(), 0);
}

#[tokio::test]
async fn the_wrong_chain_is_refused() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let mut config = ChainConfig::new(&anvil.rpc_url, chain.contract());
    config.chain_id = Some(1);
    let error = Chain::connect(&config).await.unwrap_err();
    assert!(
        matches!(
            error,
            ChainError::WrongChain {
                expected: 1,
                actual: 31_337,
                ..
            }
        ),
        "{error}"
    );
    config.chain_id = Some(31_337);
    assert_eq!(Chain::connect(&config).await.unwrap().chain_id(), 31_337);
}

#[tokio::test]
async fn nobody_there_is_told_without_the_password() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://user:secret@127.0.0.1:{port}/key");
    let error = Chain::connect(&ChainConfig::new(&url, Address::ZERO))
        .await
        .unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient());
    let text = error.to_string();
    assert!(
        text.contains(&format!("http://127.0.0.1:{port} (")),
        "{text}"
    );
    assert!(text.contains("is the chain running?"), "{text}");
    for secret in ["user", "secret", "/key"] {
        assert!(!format!("{error:?}{text}").contains(secret), "{text}");
    }
}

#[tokio::test]
async fn an_endpoint_that_stays_silent_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut config = ChainConfig::new(&url, Address::ZERO);
    config.rpc_timeout_ms = 100;
    let error = Chain::connect(&config).await.unwrap_err();
    let told = matches!(
        error,
        ChainError::TimedOut {
            method: "eth_chainId",
            waited_ms: 100,
            ..
        }
    );
    assert!(told, "{error:?}");
}

#[tokio::test]
async fn a_web_server_is_no_chain() {
    for (status, body, expected) in [
        ("200 OK", "<html>hello</html>", "no JSON-RPC endpoint"),
        ("404 Not Found", "nothing", "HTTP status 404"),
        ("503 Service Unavailable", "later", "HTTP status 503"),
        ("302 Found", "elsewhere", "302"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let length = body.len();
        std::thread::spawn(move || {
            // As often as a read is retried.
            for stream in listener.incoming().take(3).flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 4096]);
                let head = format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\n");
                let _ = write!(
                    stream,
                    "{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        let error = Chain::connect(&ChainConfig::new(&url, Address::ZERO))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{status}: {error}");
    }
}

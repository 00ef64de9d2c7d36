import Testing

@_spi(Fuzzing) @testable import RocketNATS

struct NATSServerInfoTests {
    @Test("Takes what it needs out of INFO, and reads over the rest")
    func members() throws {
        let info = try NATSServerInfo(
            json: Array(
                #"""
                {"server_id":"NAB\u00e4\"\\\/\n\ud83d\ude00","server_name" : "n1","version":"2.9.10",
                "proto":1,"go":"go1.19","host":"0.0.0.0","port":4222,"headers":true,"auth_required":true,
                "max_payload":1048576,"jetstream":null,"x":{"y":[1,2.5e3,{"z":[]}]},"client_id":5,
                "nonce":"abc","tls_available":true,"ldm":true,"connect_urls":["10.0.0.1:4222","b:1"]}
                """#.utf8))
        #expect(info.serverID == "NABä\"\\/\n😀")
        #expect(info.serverName == "n1" && info.version == "2.9.10" && info.nonce == "abc")
        #expect(info.hasHeaders && info.requiresAuthentication && info.isShuttingDown)
        #expect(!info.requiresTLS && info.offersTLS)
        #expect(info.maxPayloadBytes == 1_048_576)
        #expect(info.clusterServers == ["10.0.0.1:4222", "b:1"])
    }

    @Test(
        "What is no JSON object, or says no max_payload, is an error",
        arguments: [
            "", "[]", "{", "{\"max_payload\":1", "{\"max_payload\":1}x", "{\"max_payload\":0}",
            "{\"max_payload\":-1}", "{\"max_payload\":\"1\"}", "{}", "{\"max_payload\":1,}",
            "{\"a\":\"\\ud800\",\"max_payload\":1}", "{\"a\":\"\\u12\"", "{\"a\":tru}",
            "{\"a\":\"\u{1}\",\"max_payload\":1}",
            "{\"max_payload\":1,\"a\":" + String(repeating: "[", count: 100_000),
        ])
    func wrong(_ json: String) {
        let error = #expect(throws: NATSProtocolError.self) {
            try NATSServerInfo(json: Array(json.utf8))
        }
        #expect(error?.rule == .info)
    }

    @Test("Keeps 64 servers of a cluster")
    func clusterLimit() throws {
        let urls = (0..<100).map { "\"10.0.0.1:\($0 + 1)\"" }.joined(separator: ",")
        let info = try NATSServerInfo(
            json: Array("{\"max_payload\":1,\"connect_urls\":[\(urls)]}".utf8))
        #expect(info.clusterServers.count == 64)
    }

    @Test("Texts of JSON are escaped, and read again")
    func quoting() throws {
        let text = "a\"\\\n\u{1}ä😀"
        let object = try #require(JSONObject(Array("{\"t\":\(JSONObject.quoted(text))}".utf8)))
        #expect(object.text("t") == text)
    }
}

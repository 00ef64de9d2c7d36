import RocketRPC
import RocketTCP
import Testing

@testable import RocketNames

@Suite struct AnnouncementTests {
    private func endpoint(_ address: String, weight: Int = 1, zone: String? = nil) throws
        -> RPCEndpoint
    {
        var endpoint = RPCEndpoint([try NetAddress(parsing: address)])
        endpoint.weight = weight
        endpoint.zone = zone
        return endpoint
    }

    @Test("A server is written as the JSON of Go's packages and read again")
    func json() throws {
        for (server, text) in [
            (try endpoint("10.0.0.1:80"), #"{"Addr":"10.0.0.1:80","Metadata":{}}"#),
            (
                try endpoint("[::1]:80", weight: 3, zone: "a \"b\""),
                #"{"Addr":"[::1]:80","Metadata":{"weight":3,"zone":"a \"b\""}}"#
            ),
            (
                try endpoint("unix:/run/x", zone: "z"),
                #"{"Addr":"unix:/run/x","Metadata":{"zone":"z"}}"#
            ),
        ] {
            #expect(try Announcement(of: server).json == text)
            #expect(try Announcement(json: text).endpoint == server)
        }
    }

    @Test(
        "What Go's packages write is read, whatever the metadata is",
        arguments: [
            #"{"Op":0,"Addr":"10.0.0.1:80","Metadata":null}"#,
            #"{"Op":1,"Addr":"10.0.0.1:80"}"#,
            #"{"Addr":"10.0.0.1:80","Metadata":"text"}"#,
            #"{"Addr":"10.0.0.1:80","Metadata":{"weight":"heavy","zone":7,"x":[1,{}]}}"#,
        ])
    func foreign(text: String) throws {
        let expected = try endpoint("10.0.0.1:80")
        #expect(try Announcement(json: text).endpoint == expected)
    }

    @Test("Weights outside of their range are the nearest in it")
    func weights() throws {
        for (text, weight) in [("0", 1), ("-3", 1), ("2.9", 2), ("1e30", 65_535)] {
            let json = #"{"Addr":"10.0.0.1:80","Metadata":{"weight":\#(text)}}"#
            #expect(try Announcement(json: json).endpoint.weight == weight)
        }
    }

    @Test(
        "JSON that announces no server is an error",
        arguments: [
            ("", "is no JSON object with Addr and Metadata"),
            ("10.0.0.1:80", "is no JSON object with Addr and Metadata"),
            (#"{"Addr":7}"#, "is no JSON object with Addr and Metadata"),
            (String(repeating: "[", count: 400), "is no JSON object with Addr and Metadata"),
            ("{}", "has no Addr"),
            (#"{"Addr":"x:80"}"#, #"address "x:80": host "x" is not an IP address"#),
            (String(repeating: " ", count: 5000), "has more than 4096 bytes"),
        ])
    func wrong(text: String, reason: String) {
        #expect(throws: AnnouncementError(reason)) { try Announcement(json: text) }
    }

    @Test("A server is written as a line and read again")
    func line() throws {
        for (server, text) in [
            (try endpoint("10.0.0.1:80"), "10.0.0.1:80"),
            (try endpoint("10.0.0.1:80", weight: 2, zone: "a=b"), "10.0.0.1:80 weight=2 zone=a=b"),
        ] {
            #expect(try Announcement(of: server).line == text)
            #expect(try Announcement(line: Substring(text)).endpoint == server)
        }
        let blank = try endpoint("10.0.0.1:80", zone: "a b")
        #expect(
            try Announcement(of: blank).line == #"{"Addr":"10.0.0.1:80","Metadata":{"zone":"a b"}}"#
        )
    }

    @Test(
        "A line with something unknown is an error",
        arguments: [
            ("10.0.0.1:80 weight=0", "weight '0' is not a number from 1 to 65535"),
            ("10.0.0.1:80 zone=", "'zone=' is unknown: expected weight=N or zone=NAME"),
            ("10.0.0.1:80 wait=1", "'wait=1' is unknown: expected weight=N or zone=NAME"),
            (
                "10.0.0.1",
                #"address "10.0.0.1": has no port; expected host:port, [ipv6]:port or unix:/path"#
            ),
        ])
    func wrongLine(text: String, reason: String) {
        #expect(throws: AnnouncementError(reason)) { try Announcement(line: Substring(text)) }
    }
}

import RocketBase
import RocketBinaryLog
import RocketCodec
import RocketDynamic
import RocketRPC
import RocketSystem
import Testing

@testable import RocketToolKit

/// Replies compared with recorded ones.
@Suite struct ReplayOutcomeTests {
    private let schema: DynamicSchema
    private let method: DynamicMethod

    init() throws {
        let path = "/tmp/rocket-replay-\(UInt64.random(in: 0 ... .max)).proto"
        let proto = """
            syntax = "proto3";
            package shop;
            message Item { string name = 1; int64 time = 2; }
            message Order {
              int32 price = 1; string order_id = 2; repeated Item items = 3; Item gift = 4;
              map<string, double> weights = 5;
            }
            service Orders { rpc get(Order) returns (Order); }
            """
        try FileContents.write(Array(proto.utf8), to: path)
        defer { try? FileSystem.remove(path) }
        schema = try DynamicSchema(protoFiles: [path], importPaths: ["/tmp"])
        method = try schema.method(named: "shop.Orders.get")
    }

    private func order(_ json: String) throws -> [UInt8] {
        try schema.encode(json: json, as: "shop.Order")
    }

    private func outcome(
        _ recorded: String, _ now: String, ignoring ignored: [String] = [], masked: [String] = []
    ) throws -> ReplayOutcome {
        var call = LoggedCall(id: 1, method: "shop.Orders.get")
        let bytes = try order(recorded)
        call.response = .init(bytes: bytes, length: bytes.count)
        call.masked = masked.compactMap(FieldPath.init)
        return ReplayOutcome(
            of: call, method, schema, reply: .success(try order(now)),
            ignoring: ignored.compactMap(FieldPath.init))
    }

    private func differences(_ outcome: ReplayOutcome) -> [String] {
        if case .different(let found) = outcome { found.map(\.text) } else { [] }
    }

    @Test("each field that differs is named with both values")
    func fields() throws {
        let found = try outcome(
            #"{"price":100,"order_id":"1","items":[{"name":"a"},{"name":"b"}],"weights":{"x":1.5}}"#,
            #"{"price":101,"order_id":"2","items":[{"name":"a"}],"gift":{},"weights":{"x":2}}"#)
        #expect(
            differences(found) == [
                #"gift: nothing -> {"name":"","time":"0"}"#,
                #"items.1: {"name":"b","time":"0"} -> nothing"#,
                #"order_id: "1" -> "2""#, "price: 100 -> 101", "weights.x: 1.5 -> 2",
            ])
        #expect(differences(try outcome(#"{"price":5}"#, "{}")) == ["price: 5 -> 0"])
        #expect(try outcome(#"{"price":0}"#, "{}") == .equal)
    }

    @Test("ignored and masked fields are not compared, elements of lists by a star or none")
    func ignored() throws {
        let recorded = #"{"order_id":"1","items":[{"time":1},{"time":2}],"gift":{"time":3}}"#
        let now = #"{"order_id":"2","items":[{"time":4},{"time":5}],"gift":{"time":6}}"#
        #expect(try outcome(recorded, now, ignoring: ["order_id", "time"]) == .equal)
        #expect(try outcome(recorded, now, ignoring: ["time"], masked: ["order_id"]) == .equal)
        for path in ["items.*.time", "items.time"] {
            let found = try outcome(recorded, now, ignoring: [path, "order_id"])
            #expect(differences(found) == [#"gift.time: "3" -> "6""#])
        }
        let found = try outcome(recorded, now, ignoring: ["items.0.time", "order_id", "gift"])
        #expect(differences(found) == [#"items.1.time: "2" -> "5""#])
    }

    @Test("the code of the status counts first, and failures are no answers")
    func status() throws {
        var call = LoggedCall(id: 1, method: "shop.Orders.get")
        (call.status, call.statusMessage) = (5, "no order 7")
        func outcome(_ reply: Result<[UInt8], RPCError>) -> ReplayOutcome {
            ReplayOutcome(of: call, method, schema, reply: reply, ignoring: [])
        }
        #expect(outcome(.failure(RPCError(.notFound, "another text"))) == .equal)
        #expect(differences(outcome(.success([]))) == ["status: NOT_FOUND: no order 7 -> OK"])
        #expect(
            differences(outcome(.failure(RPCError(.permissionDenied, "no")))) == [
                "status: NOT_FOUND: no order 7 -> PERMISSION_DENIED: no"
            ])
        guard case .failed = outcome(.failure(RPCError(.failedConnect, "away"))) else {
            return #expect(Bool(false))
        }
        // The exact code, where the log has it.
        call.status = 2
        call.trailingMetadata = [.init("rocket-code", Array("70001".utf8))]
        #expect(outcome(.failure(RPCError(RPCErrorCode(rawValue: 70001), ""))) == .equal)
        #expect(outcome(.failure(RPCError(.unknown, ""))) != .equal)
    }

    @Test("a reply that is no message is a failure, one that was too large is not compared")
    func messages() throws {
        var call = LoggedCall(id: 1, method: "shop.Orders.get")
        call.response = .init(bytes: try order(#"{"price":1}"#), length: 2)
        let broken = ReplayOutcome(
            of: call, method, schema, reply: .success([255]), ignoring: [])
        guard case .failed(let text) = broken else { return #expect(Bool(false)) }
        #expect(text.hasPrefix("the reply is no shop.Order"))
        call.response = .init(bytes: nil, length: 100_000)
        #expect(
            ReplayOutcome(of: call, method, schema, reply: .success([255]), ignoring: [])
                == .equal)
    }

    @Test(
        "metadata is sent again, but for keys and values that can't be, and those that are replaced"
    )
    func metadata() {
        var call = LoggedCall(id: 1, method: "a.b")
        call.metadata = [
            .init("x-a", Array("1".utf8)), .init("x-b", [255]), .init("No Key", []),
            .init("x-bin", [255, 0]), .init("x-c", Array("old".utf8)),
        ]
        let all = call.metadata(and: ["x-c": "new", "x-d": "4"])
        #expect(all.entries.map(\.key) == ["x-a", "x-bin", "x-c", "x-d"])
        #expect(all[bytes: "x-bin"] == [255, 0] && all["x-c"] == "new")
    }
}

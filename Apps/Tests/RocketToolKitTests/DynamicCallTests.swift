import RocketBase
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem
import Testing

@testable import RocketToolKit

/// A service of a schema, without generated code on either side.
@Suite struct DynamicCallTests {
    /// Answers with what it has received.
    struct Points: RPCService {
        static var serviceName: String { "test.Points" }

        let schema: DynamicSchema

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(try schema.method(named: "one").rpc()) { request, _ in
                if request.bytes == [8, 13] {
                    throw RPCError(
                        .failedPrecondition, "not 13",
                        details: [.init(typeURL: "x/test.Point", value: [8, 1])])
                }
                return request
            }
            try registry.add(serverStreaming: try schema.method(named: "many").rpc()) {
                request, replies, _ in
                for _ in 0..<3 { try await replies.write(request) }
            }
            try registry.add(clientStreaming: try schema.method(named: "last").rpc()) {
                requests, _ in
                var last = EncodedMessage()
                for try await request in requests { last = request }
                return last
            }
            try registry.add(bidirectional: try schema.method(named: "each").rpc()) {
                requests, replies, _ in
                for try await request in requests { try await replies.write(request) }
            }
        }
    }

    private let schema: DynamicSchema
    private let channel: RPCChannel

    init() throws {
        let path = "/tmp/rocket-tool-\(UInt64.random(in: 0 ... .max)).proto"
        try FileContents.write(Array(ToolSchemas.points.utf8), to: path)
        defer { try? FileSystem.remove(path) }
        schema = try DynamicSchema(protoFiles: [path], importPaths: ["/tmp"])
        channel = try RPCChannel(inProcess: [Points(schema: schema)])
    }

    private func call(_ method: String, _ requests: String...) async throws -> [String] {
        let method = try schema.method(named: method)
        let call = DynamicCall(
            method: method, schema: schema, options: .init(), controller: RPCController())
        let lines = Locked<[String]>([])
        try await call.run(
            RequestInput(requests, streams: method.streamsRequests), over: channel
        ) { line in
            lines.withLock { $0.append(line) }
            return true
        }
        return lines.withLock { $0 }
    }

    @Test("All four kinds of methods are called with JSON")
    func kinds() async throws {
        #expect(try await call("one", #"{"x":1}"#) == [#"{"x":1}"#])
        #expect(try await call("one") == ["{}"])
        #expect(
            try await call("many", #"{"x":2}"#) == [String](repeating: #"{"x":2}"#, count: 3))
        #expect(try await call("last", #"{"x":1}"#, #"{"x":3}"#) == [#"{"x":3}"#])
        let lines = ["a", "b"].map { #"{"name":"\#($0)"}"# }
        #expect(try await call("each", lines[0], lines[1]) == lines)
    }

    @Test("Text of the server that would move the cursor is escaped in JSON")
    func unsafeText() async throws {
        #expect(
            try await call("one", #"{"name":"\u001b[31m\u202e"}"#)
                == [#"{"name":"\u001b[31m\u202e"}"#])
    }

    @Test("Errors of the server and of requests are thrown")
    func errors() async throws {
        let error = await #expect(throws: RPCError.self) { try await call("one", #"{"x":13}"#) }
        #expect(error?.code == .failedPrecondition)
        for method in ["one", "each"] {
            let failure = await #expect(throws: ProgramFailure.self) {
                try await call(method, #"{"y":1}"#)
            }
            #expect(failure?.status == .dataError)
            #expect(failure?.description.contains("y: there is no such field") == true)
        }
    }

    @Test("A reader that has gone away cancels the call")
    func noReader() async throws {
        let method = try schema.method(named: "many")
        let call = DynamicCall(
            method: method, schema: schema, options: .init(), controller: RPCController())
        let count = Locked(0)
        try await call.run(RequestInput(["{}"], streams: false), over: channel) { _ in
            count.withLock { $0 += 1 }
            return false
        }
        #expect(count.withLock { $0 } == 1)
    }

    @Test("An error is one line of text, or of JSON with its details")
    func reports() throws {
        let error = RPCError(
            .notFound, "no \"order\"\n7", details: [.init(typeURL: "x/test.Point", value: [8, 1])])
        var report = CallReport(
            method: try schema.method(named: "one"), server: "a:1", isGRPC: true, isJSON: false)
        let call = RPCController()
        #expect(
            report.line(of: error, call)
                == #"rocket: NOT_FOUND: no "order"\n7 [test.Point]"#)
        report = CallReport(
            method: report.method, server: "a:1", isGRPC: true, isJSON: true, schema: schema)
        #expect(
            report.line(of: error, call) == #"{"code":"NOT_FOUND","number":10000107,"#
                + #""grpc_status":5,"message":"no \"order\"\n7","method":"test.Points.one","#
                + #""server":"a:1","attempts":0,"#
                + #""details":[{"@type":"x/test.Point","value":{"x":1}}]}"#)
        #expect(
            report.begins(metadata: ["k": "v"])
                == ["> test.Points.one (unary) at a:1 by gRPC", "> k: v"])
    }

    @Test(
        "The status is 1 for an error of the server, and that of all programs for others",
        arguments: [
            (RPCErrorCode.notFound, RocketProgram.ExitStatus.failure),
            (.permissionDenied, .failure),
            (.init(rawValue: 7), .failure), (.failedConnect, .unavailable),
            (.callTimeout, .unavailable), (.unavailable, .unavailable),
            (.failedEncode, .dataError), (.failedDeserialize, .protocolError),
        ])
    func statuses(code: RPCErrorCode, status: RocketProgram.ExitStatus) {
        #expect(CallReport.status(of: RPCError(code, "")) == status)
    }
}

enum ToolSchemas {
    static let points = """
        syntax = "proto3";
        package test;
        message Point { int32 x = 1; string name = 2; }
        service Points {
          rpc one(Point) returns (Point);
          rpc many(Point) returns (stream Point);
          rpc last(stream Point) returns (Point);
          rpc each(stream Point) returns (stream Point);
        }
        """
}

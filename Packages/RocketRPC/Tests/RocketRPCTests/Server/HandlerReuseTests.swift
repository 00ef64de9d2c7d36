import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Handler tasks serve one call after another: nothing of one call is left for the next.
@Suite("Reuse of handler tasks")
struct HandlerReuseTests {
    let kit = FrameKit()

    /// Whether its task is cancelled is the answer of `state`; `never` waits until it is.
    struct Cancellations: RPCService {
        static let serviceName = "test.Cancellations"

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "state")) {
                _, call in
                let before = Task.isCancelled || call.isCancelled
                await Task.yield()
                return Text("\(before) \(Task.isCancelled) \(call.isCancelled)")
            }
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "never")) {
                request, _ in
                let gate = Gate()
                await withTaskCancellationHandler {
                    await gate.wait()
                } onCancel: {
                    gate.open()
                }
                return request
            }
            try registry.add(
                RPCMethod<Text, Text>(service: Self.serviceName, name: "synchronous"),
                synchronous: { request, _ in
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    return request
                })
            for name in ["cancelsItself", "cancelsItselfLater"] {
                try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: name)) {
                    request, _ in
                    if name == "cancelsItselfLater" { await Task.yield() }
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    return request
                }
            }
        }
    }

    @Test(
        "A handler that cancels its own task cancels no other call",
        arguments: ["cancelsItself", "cancelsItselfLater"])
    func cancelsItself(_ method: String) throws {
        try ServerScene.with([Cancellations()]) { scene, clients in
            let client = clients[0]
            for round in 0..<3 {
                // One read: the same task may go on with the next call of its method.
                client.send(
                    try [method, method, "state", method, "state"].enumerated().flatMap {
                        try kit.frame(id: "\(round) \($0)", "test.Cancellations.\($1)")
                    })
                scene.loop.tickUntilIdle()
                let answers = try client.answers()
                #expect(answers.count == 5)
                let state = try kit.text("false false false")
                #expect(answers.count { $0.payload == state } == 2)
            }
        }
    }

    @Test("A handler task that a synchronous handler has cancelled serves no later call")
    func synchronousHandlerCancels() throws {
        try ServerScene.with([Cancellations()]) { scene, clients in
            let client = clients[0]
            for round in 0..<3 {
                // In one read, so that the synchronous call is served in the task.
                client.send(
                    try ["state", "synchronous"].flatMap {
                        try kit.frame(id: "\(round) \($0)", "test.Cancellations.\($0)")
                    })
                scene.loop.tickUntilIdle()
                try client.call("test.Cancellations.state", id: "\(round)")
                let answers = try client.answers()
                #expect(answers.count == 3)
                let state = try kit.text("false false false")
                #expect(answers.count { $0.payload == state } == 2)
            }
        }
    }

    enum Cause: CaseIterable { case cancelFrame, deadline, limit }

    @Test("Calls after a cancelled one are not cancelled", arguments: Cause.allCases)
    func cancelledTask(_ cause: Cause) throws {
        var limits = RPCCallLimits()
        if cause == .limit { limits.defaults.timeout = .milliseconds(10) }
        try ServerScene.with([Cancellations()], limits: limits) { scene, clients in
            let client = clients[0]
            for round in 0..<3 {
                try client.call(
                    "test.Cancellations.never", id: "7",
                    info: cause == .deadline ? "rkm1\ntimeout-ms=10\n" : "")
                if cause == .cancelFrame {
                    try client.call("rocket.cancel", id: "7")
                } else {
                    scene.loop.tick(after: .milliseconds(10))
                    scene.loop.tickUntilIdle()
                }
                #expect(client.connection.suspended.tasks.isEmpty)
                _ = try client.answers()
                for id in 0..<4 {
                    try client.call("test.Cancellations.state", id: "\(round) \(id)")
                    let answer = try #require(try client.answers().first)
                    #expect(try answer.payload == kit.text("false false false"))
                }
            }
        }
    }

    @Test("A call that was given up is no longer counted", arguments: Cause.allCases)
    func counts(_ cause: Cause) throws {
        var limits = RPCCallLimits()
        limits.maxCallsPerConnection = 2
        limits.maxCalls = 2
        if cause == .limit { limits.defaults.timeout = .milliseconds(10) }
        try ServerScene.with([Cancellations()], limits: limits) { scene, clients in
            let client = clients[0]
            for id in 0..<6 {
                try client.call(
                    "test.Cancellations.never", id: "\(id)",
                    info: cause == .deadline ? "rkm1\ntimeout-ms=10\n" : "")
                if cause == .cancelFrame {
                    try client.call("rocket.cancel", id: "\(id)")
                } else {
                    scene.loop.tick(after: .milliseconds(10))
                    scene.loop.tickUntilIdle()
                }
                let answers = try client.answers()
                #expect(answers.codes == (cause == .cancelFrame ? [] : [.callTimeout]))
                #expect(client.connection.callsInFlight == 0)
            }
            // The connection closes, as no call is left.
            client.finish()
            #expect(client.peer.closing == .peerFinished)
        }
    }

    /// Replaces metadata of the value `a`.
    struct Replacing: RPCInterceptor {
        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            if call.requestMetadata["x-sent"] == "a" { call.requestMetadata["x-sent"] = "z" }
            return try await next(request, call)
        }
    }

    @Test("Metadata that an interceptor has changed is that of one call")
    func changedMetadata() throws {
        try ServerScene.with([TestService()], interceptors: [Replacing()]) { _, clients in
            for (sent, seen) in [("a", "z"), ("b", "b"), ("a", "z")] {
                try clients[0].call(
                    "test.v1.Test.describe", id: "1", info: "rkm1\nx-sent=\(sent)\n")
                let info = try #require(try clients[0].answers().first).info
                #expect(info.contains("x-seen=\(seen)\n"))
            }
        }
    }

    @Test("A closed connection is not kept for the synchronous calls of others")
    func closedConnection() throws {
        try ServerScene.with([SynchronousEcho()], connections: 2) { scene, clients in
            try clients[0].call("test.sync.Sync.echo", id: "1")
            clients[0].reset()
            let other = clients[1].connection
            #expect(scene.scheduler.synchronousResponder(of: other).connection === other)
            #expect(try clients[0].answers().codes == [.success])
        }
    }

    @Test("A deadline of a call that was answered in time is removed, and ends no later call")
    func deadlines() throws {
        let service = TestService()
        try ServerScene.with([service]) { scene, clients in
            let client = clients[0]
            for id in 0..<3 {
                try client.call(
                    "test.v1.Test.hold", id: "\(id)", info: "rkm1\ntimeout-ms=100\n",
                    payload: Number(1).serializedBytes())
            }
            #expect(scene.scheduler.deadlines.count == 3)
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().codes == [.success, .success, .success])
            #expect(scene.scheduler.deadlines.isEmpty)
            scene.loop.tick(after: .milliseconds(100))
            scene.loop.tickUntilIdle()
            for id in 0..<10 {
                try client.call(id: "later \(id)")
                #expect(try client.answers().codes == [.success])
            }
        }
    }
}

import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@testable import RocketRPC

/// The storage behind controllers is used for one call after another; no controller, closure or
/// task of one call may observe another call.
@Suite("Controllers after their calls")
struct ControllerLifetimeTests {
    /// Keeps the controllers and closures of its calls.
    struct Keeping: RPCService {
        static let serviceName = "test.Keeping"

        final class Kept: Sendable {
            let controllers = Locked<[RPCController]>([])
            let closures = Locked<[@Sendable () -> String]>([])
            let tasks = Locked<[Task<String?, Never>]>([])
            let current = Locked<[RPCController?]>([])
        }

        let kept = Kept()
        let gate = Gate()

        func keep(_ call: RPCController) {
            kept.controllers.withLock { $0.append(call) }
            kept.closures.withLock { $0.append { call.messageID + call.method } }
            kept.current.withLock { $0.append(RPCController.current) }
            let task = Task { [gate] in
                await gate.wait()
                return RPCController.current?.messageID
            }
            kept.tasks.withLock { $0.append(task) }
        }

        func register(in registry: inout RPCServiceRegistry) throws {
            let sync = RPCMethod<Text, Text>(service: Self.serviceName, name: "sync")
            try registry.add(
                sync,
                synchronous: { request, call in
                    keep(call)
                    return request
                })
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "async")) {
                request, call in
                keep(call)
                return request
            }
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "suspend")) {
                request, call in
                keep(call)
                await Task.yield()
                keep(call)
                return request
            }
        }
    }

    @Test(
        "What a handler keeps says that its call is finished, and shows nothing of later calls",
        arguments: ["sync", "async", "suspend"])
    func keptForGood(_ method: String) async throws {
        let service = Keeping()
        let kit = FrameKit()
        try DrivenServer.with { _ in
            service
        } _: { server, service in
            for number in 0..<1_000 {
                server.caller.send(
                    try kit.frame(
                        id: "id-\(number)", "test.Keeping.\(method)", info: "rkm1\nx-a=\(number)\n")
                )
                if number % 7 == 0 { server.loop.tickUntilIdle() }
            }
            server.loop.tickUntilIdle()
        }
        let kept = service.kept
        #expect(kept.controllers.withLock { $0.count } >= 1_000)
        let current = kept.current.withLock { $0 }
        #expect(current.allSatisfy { $0 != nil })
        for call in kept.controllers.withLock({ $0 }) + current.compactMap(\.self) {
            #expect(call.isFinished && call.messageID.isEmpty && call.method.isEmpty)
            #expect(call.requestMetadata.isEmpty && call.peerAddress == nil && call.deadline == nil)
            call.replyMetadata["x-b"] = "late"
            #expect(call.replyMetadata.isEmpty)
        }
        #expect(kept.closures.withLock { $0.allSatisfy { $0().isEmpty } })
        service.gate.open()
        for task in kept.tasks.withLock({ $0 }) { #expect(await task.value == nil) }
    }

    @Test(
        "While a call is served, RPCController.current is its controller",
        arguments: ["sync", "async", "child"])
    func current(_ method: String) throws {
        struct Observing: RPCService {
            static let serviceName = "test.Observing"
            let seen = Box()

            final class Box: Sendable { let ids = Locked<[[String?]]>([]) }

            func record(_ call: RPCController) {
                let context = CallContext.current?.call.map { $0.messageID.description }
                seen.ids.withLock {
                    $0.append([call.messageID, RPCController.current?.messageID, context])
                }
            }

            func register(in registry: inout RPCServiceRegistry) throws {
                try registry.add(
                    RPCMethod<Text, Text>(service: Self.serviceName, name: "sync"),
                    synchronous: { request, call in
                        record(call)
                        return request
                    })
                try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "async")) {
                    request, call in
                    record(call)
                    await Task.yield()
                    record(call)
                    return request
                }
                try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "child")) {
                    request, call in
                    async let child: Void = record(call)
                    await child
                    record(call)
                    return request
                }
            }
        }
        let kit = FrameKit()
        try DrivenServer.with { _ in
            Observing()
        } _: { server, service in
            // A synchronous call behind an awaited call is served in the task of the latter.
            for id in ["1", "2", "3"] {
                server.caller.send(try kit.frame(id: id, "test.Observing.\(method)"))
                server.caller.send(try kit.frame(id: id + "s", "test.Observing.sync"))
            }
            server.loop.tickUntilIdle()
            let seen = service.seen.ids.withLock { $0 }
            #expect(seen.count == (method == "sync" ? 6 : 9))
            for ids in seen { #expect(ids[0] != nil && Set(ids).count == 1) }
        }
    }
    /// The first call starts a task that outlives it; the second one lets that task run.
    struct Inheriting: RPCService {
        static let serviceName = "test.Inheriting"
        let loop: EventLoop
        let gate = Gate()
        let seen = Seen()

        final class Seen: Sendable { let ids = Locked<[String?]>([]) }

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "call")) {
                request, call in
                if call.messageID == "1" {
                    Task(executorPreference: loop) {
                        await gate.wait()
                        seen.ids.withLock { $0.append(RPCController.current?.messageID) }
                    }
                } else {
                    gate.open()
                    while seen.ids.withLock({ $0.isEmpty }) { await Task.yield() }
                    seen.ids.withLock { $0.append(RPCController.current?.messageID) }
                }
                return request
            }
        }
    }

    @Test("A task that a call has left behind is not in the next call of its handler task")
    func leftBehind() throws {
        let kit = FrameKit()
        try DrivenServer.with { loop in
            Inheriting(loop: loop)
        } _: { server, service in
            server.caller.send(
                try kit.frame(id: "1", "test.Inheriting.call")
                    + kit.frame(id: "2", "test.Inheriting.call"))
            server.loop.tickUntilIdle()
            #expect(service.seen.ids.withLock { $0 } == [nil, "2"])
        }
    }

    @Test(
        "Requests that can't be decoded are refused between calls of the same method",
        arguments: ["sync", "async"])
    func invalidRequests(_ method: String) throws {
        let kit = FrameKit()
        try DrivenServer.with { _ in
            Keeping()
        } _: { server, service in
            var bytes: [UInt8] = []
            for id in ["1", "2", "3", "4"] {
                let payload: [UInt8] = id == "2" || id == "4" ? [0xFF, 0xFF, 0xFF] : []
                bytes += try kit.frame(id: id, "test.Keeping.\(method)", payload: payload)
            }
            server.caller.send(bytes)
            server.loop.tickUntilIdle()
            let codes = try kit.parseAll(server.caller.bytes).map(\.code)
            #expect(codes.map(\.rawValue).map { $0 == 0 } == [true, false, true, false])
            #expect(codes[1] == .failedDeserialize && codes[3] == .failedDeserialize)
            service.gate.open()
        }
    }
}

import RocketBase
import RocketCodec
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
        arguments: ["sync", "async"])
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
}

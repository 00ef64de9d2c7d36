import RocketBase
import RocketRPC
import RocketSystem
import SwiftProtobuf

extension TestClient {
    /// Sends a stream of requests, and prints the responses while it does.
    ///
    /// - Throws: what is wrong with a request, which cancels the call; or the error of the call.
    static func exchange<Request: Message, Response: Message>(
        _ method: RPCMethod<Request, Response>, _ requests: Requests,
        _ controller: RPCController, _ channel: RPCChannel, _ output: Output
    ) async throws {
        let call = try await channel.stream(method, controller)
        let failure = Locked<(any Error)?>(nil)
        // Not a child task: a read of standard input can't be cancelled, and nothing waits for it
        // once the server has ended the call.
        let sending = Task {
            do { try await send(requests, to: call) } catch {
                failure.withLock { $0 = error }
                call.cancel()
            }
        }
        defer { sending.cancel() }
        do {
            for try await response in call.responses {
                guard output(try json(response)) else { return call.cancel() }
            }
            if method.kind == .clientStreaming { _ = output(try json(await call.response())) }
        } catch {
            throw failure.withLock { $0 } ?? error
        }
    }

    private static func send<Request: Message, Response: Message>(
        _ requests: Requests, to call: RPCStreamCall<Request, Response>
    ) async throws {
        for text in requests.arguments where try await !write(text, to: call) { return }
        if requests.arguments.isEmpty {
            while let text = try await requests.lines.next() {
                guard try await write(text, to: call) else { return }
            }
        }
        call.finishRequests()
    }

    /// Sends a request; returns false if the call has ended, whose error its reader gets.
    private static func write<Request: Message, Response: Message>(
        _ text: String, to call: RPCStreamCall<Request, Response>
    ) async throws -> Bool {
        let request: Request = try message(text)
        do throws(RPCError) { try await call.requests.write(request) } catch {
            guard call.controller.isFinished else { throw error }
            return false
        }
        return true
    }
}

extension RPCMethodKind {
    /// Whether the caller sends a stream.
    var streamsRequests: Bool { self == .clientStreaming || self == .bidirectionalStreaming }
}

import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem

/// One call of a method whose types are not compiled in: JSON in, JSON out.
struct DynamicCall: Sendable {
    let method: DynamicMethod
    let schema: DynamicSchema
    let options: DynamicSchema.JSONOptions
    /// Has the parameters of the call, and its outcome afterwards.
    let controller: RPCController

    /// Makes the call, of any kind. Each reply is printed as soon as it is there.
    ///
    /// - Parameter output: prints a reply; returns false if nobody reads it, which cancels the call.
    /// - Throws: `RPCError` of the call, `ProgramFailure` for a request that is wrong.
    func run(
        _ input: RequestInput, over channel: RPCChannel,
        output: @escaping @Sendable (String) -> Bool
    ) async throws {
        let rpc = method.rpc()
        switch method.kind {
        case .unary:
            let reply = try await channel.call(rpc, request(of: input), controller)
            _ = output(try json(reply))
        case .serverStreaming:
            let replies = try await channel.serverStream(rpc, request(of: input), controller)
            for try await reply in replies {
                guard output(try json(reply)) else { return controller.cancel() }
            }
        case .clientStreaming, .bidirectionalStreaming:
            try await exchange(rpc, input, channel, output)
        }
    }

    /// Sends requests while replies are printed.
    private func exchange(
        _ rpc: RPCMethod<EncodedMessage, EncodedMessage>, _ input: RequestInput,
        _ channel: RPCChannel, _ output: @Sendable (String) -> Bool
    ) async throws {
        let call = try await channel.stream(rpc, controller)
        let failure = Locked<(any Error)?>(nil)
        // Not a child task: a read of standard input can't be cancelled, and nothing waits for it
        // once the server has ended the call.
        let sending = Task {
            do { try await send(input, to: call) } catch {
                failure.withLock { $0 = error }
                call.cancel()
            }
        }
        defer { sending.cancel() }
        do {
            for try await reply in call.responses {
                guard output(try json(reply)) else { return call.cancel() }
            }
            if method.kind == .clientStreaming { _ = output(try json(await call.response())) }
        } catch {
            throw failure.withLock { $0 } ?? error
        }
    }

    private func send(
        _ input: RequestInput, to call: RPCStreamCall<EncodedMessage, EncodedMessage>
    ) async throws {
        while let text = try await input.next() {
            let request = try encoded(text)
            do throws(RPCError) { try await call.requests.write(request) } catch {
                // Its reader gets the error of a call that has ended.
                if controller.isFinished { return }
                throw error
            }
        }
        call.finishRequests()
    }

    private func request(of input: RequestInput) async throws -> EncodedMessage {
        try encoded(await input.next() ?? "{}")
    }

    private func encoded(_ text: String) throws(ProgramFailure) -> EncodedMessage {
        try Self.encoded(text, of: method, in: schema)
    }

    /// Encodes a request.
    ///
    /// - Throws: `ProgramFailure` (dataError) with the field that is wrong.
    static func encoded(
        _ text: String, of method: DynamicMethod, in schema: DynamicSchema
    ) throws(ProgramFailure) -> EncodedMessage {
        do { return try EncodedMessage(schema.encode(json: text, as: method.request)) } catch {
            throw ProgramFailure(
                "the request is no \(method.request): \(error)", status: .dataError)
        }
    }

    private func json(_ reply: EncodedMessage) throws(ProgramFailure) -> String {
        let json: String
        do { json = try schema.decode(reply.bytes, as: method.response, options: options) } catch {
            throw ProgramFailure(
                "the reply can't be written as \(method.response): \(error)",
                status: .protocolError)
        }
        return json.split(separator: "\n", omittingEmptySubsequences: false)
            .map { TerminalText.safeJSON(String($0)) }.joined(separator: "\n")
    }
}

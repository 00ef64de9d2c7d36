import RocketBase
import RocketProgram
import RocketRPC
import RocketReactor
import RocketSystem

extension LoadCalls {
    /// Makes a call. On the loop of the channel.
    ///
    /// - Parameter messages: set for a call with a stream, also if it fails.
    /// - Throws: the error of the call; ERROR_FAILED_SERIALIZE where the values of placeholders make a
    ///   request that is wrong.
    func make(
        _ call: LoadCallers.Call, over channel: RPCChannel, _ options: RPCCallOptions,
        counting messages: inout LoadMessages?
    ) async throws(RPCError) {
        let method = methods[call.method]
        let metadata = metadata(sequence: call.sequence)
        if method.streamsRequests {
            let requests: Messages
            do {
                requests = try self.messages(call.method, turn: call.turn, sequence: call.sequence)
            } catch { throw RPCError(.failedSerialize, error.description) }
            var counts = LoadMessages()
            defer { messages = counts }
            return try await LoadExchange.run(
                method, requests,
                RPCController(timeout: method.timeout, metadata: metadata, options: options),
                over: channel, counting: &counts)
        }
        let request: EncodedMessage
        do {
            request = try self.request(call.method, turn: call.turn, sequence: call.sequence)
        } catch { throw RPCError(.failedSerialize, error.description) }
        guard method.kind == .serverStreaming else {
            _ = try await channel.call(
                method.rpc, request, timeout: method.timeout, metadata: metadata, options: options)
            return
        }
        let replies = try await channel.serverStream(
            method.rpc, request, timeout: method.timeout, metadata: metadata, options: options)
        var counts = LoadMessages(sent: 1)
        defer { messages = counts }
        for try await _ in replies { counts.received += 1 }
    }
}

/// A call with a stream of requests, as a load makes it. On the loop of its channel.
enum LoadExchange {
    private typealias Call = RPCStreamCall<EncodedMessage, SkippedMessage>

    /// Sends the messages while replies are read, and waits for the end of the call.
    ///
    /// - Parameter counts: the messages so far, also of a call that fails.
    /// - Throws: the error of the call.
    static func run(
        _ method: LoadCalls.Method, _ messages: LoadCalls.Messages, _ controller: RPCController,
        over channel: RPCChannel, counting counts: inout LoadMessages
    ) async throws(RPCError) {
        let call = try await channel.stream(method.rpc, controller)
        guard method.kind == .bidirectionalStreaming else {
            for index in 0..<messages.count {
                // The server may answer, or refuse, before it has read all.
                do throws(RPCError) { try await call.requests.write(messages[index]) } catch {
                    if controller.isFinished { break }
                    call.cancel()
                    throw error
                }
                counts.sent += 1
            }
            _ = try await call.response()
            counts.received += 1
            return
        }
        let sent = Locked(Sent(times: [], failure: nil))
        let sending = Task(executorPreference: channel.loop) { await send(messages, call, sent) }
        let time = SystemTimeSource()
        var received: [MonotonicTime] = []
        var failure: RPCError?
        do throws(RPCError) {
            for try await _ in call.responses { received.append(time.monotonic()) }
        } catch { failure = error }
        // Nothing to write to any more.
        sending.cancel()
        await sending.value
        let all = sent.withLock { $0 }
        (counts.sent, counts.received) = (all.times.count, received.count)
        // That of the writer explains why the call was cancelled.
        if let own = all.failure, own.code != .cancelled { throw own }
        if let failure { throw failure }
        if all.times.count == received.count {
            counts.roundTrips = zip(all.times, received).map { sent, received in
                received.nanoseconds - min(sent.nanoseconds, received.nanoseconds)
            }
        }
    }

    private struct Sent {
        /// When each message was given to the channel.
        var times: [MonotonicTime]
        /// Why a message could not be written, unless the call had ended.
        var failure: RPCError?
    }

    private static func send(
        _ messages: LoadCalls.Messages, _ call: Call, _ sent: borrowing Locked<Sent>
    ) async {
        let time = SystemTimeSource()
        for index in 0..<messages.count {
            let now = time.monotonic()
            do throws(RPCError) { try await call.requests.write(messages[index]) } catch {
                if call.controller.isFinished { return }
                sent.withLock { $0.failure = error }
                return call.cancel()
            }
            sent.withLock { $0.times.append(now) }
        }
        call.finishRequests()
    }
}

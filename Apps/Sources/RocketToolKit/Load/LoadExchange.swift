import RocketBase
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketReactor
import RocketSystem

/// A call with a stream of requests, as a load makes it. On the loop of its channel.
enum LoadExchange {
    private typealias Call = RPCStreamCall<EncodedMessage, EncodedMessage>

    /// Sends the messages while replies are read, and waits for the end of the call.
    ///
    /// - Parameter counts: the messages so far, also of a call that fails.
    /// - Throws: the error of the call.
    static func run(
        _ method: LoadCalls.Method, _ messages: LoadCalls.Messages, _ controller: RPCController,
        over channel: RPCChannel, counting counts: inout LoadMessages
    ) async throws(RPCError) {
        let call = try await channel.stream(method.rpc, controller)
        guard method.method.streamsResponses else {
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

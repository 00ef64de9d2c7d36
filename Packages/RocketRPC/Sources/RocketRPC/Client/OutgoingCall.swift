import RocketBase
import RocketSystem
import Synchronization

// SAFETY: its caller sets it up and hands it over, through the channel's door; from then on it is
// the channel's loop's, until its body has heard the end, which hands it back.

/// A call on its way, without its types: how it is to be made, where it stands, and who waits for
/// it. Whoever takes it out of the pending table ends it.
@safe @usableFromInline
final class OutgoingCall: @unchecked Sendable {
    let kind: ErasedMethod
    /// The request, and the place for the response.
    @usableFromInline let messages: AnyObject
    /// What its caller asks for.
    // SAFETY: read and written field by field, with nothing else inside an access.
    @exclusivity(unchecked) var terms = CallParameters()
    /// What the caller looks at, if anything.
    var controller: RPCController?
    /// The caller's task. Bound to the channel's loop.
    // SAFETY: resumed once, by `end`, which takes it away.
    nonisolated(unsafe) private var waiting: UnsafeContinuation<Void, Never>?
    /// From `begin` to the end.
    private(set) var isUnderWay = false
    /// Why it failed; nil when it did not. After the end.
    private(set) var error: RPCError?
    private let failed = Atomic(false)
    /// Its id on the wire and its place in the pending table, while it is there. Bound to the
    /// channel's loop.
    var id = CallID.empty
    var slot = -1
    private let gaveUp = Atomic(false)

    @usableFromInline
    init(_ kind: ErasedMethod, _ messages: AnyObject) {
        self.kind = kind
        self.messages = messages
    }

    /// Before the call is handed over.
    func begin(waiting: UnsafeContinuation<Void, Never>? = nil) {
        isUnderWay = true
        unsafe self.waiting = waiting
    }

    /// Whether there is an error: reading that one costs more. Who has read this after the end sees
    /// all that was written before it. The continuation sees to that already; but where it is
    /// resumed before it is awaited, the thread sanitizer does not know.
    var hasFailed: Bool { failed.load(ordering: .acquiring) }

    /// Whether the caller has given up; from then on nothing needs to be sent.
    var isCancelled: Bool { gaveUp.load(ordering: .acquiring) }

    /// Marks it as given up. Any thread.
    func cancel() { gaveUp.store(true, ordering: .releasing) }

    /// After the end, lets go of what was the one call's.
    ///
    /// - Returns: false where the object stands for this one call for ever: somebody may still be
    ///   about to cancel it, or on the way to the loop with that.
    @usableFromInline
    func reset() -> Bool {
        if isCancelled || controller != nil { return false }
        unsafe terms.reset()
        return true
    }

    // MARK: On the channel's loop

    /// Appends the serialized request.
    func encode(into buffer: inout ByteBuffer) throws(RPCError) {
        let before = buffer.readableBytes
        try kind.encode(messages, &buffer)
        controller?.note(requestBytes: buffer.readableBytes - before)
    }

    /// Goes out on a connection between these ends.
    func begins(between peers: ConnectionPeers) { controller?.begins(id, between: peers) }

    /// The reply arrived, with its err_info.
    func succeed(_ payload: RawSpan, info: RawSpan) {
        do throws(RPCError) {
            try kind.decode(messages, payload)
        } catch {
            return fail(error)
        }
        if let controller {
            controller.note(responseBytes: payload.byteCount)
            controller.finish(replyMetadata: MetadataBlock.read(info) ?? [:])
        }
        end(nil)
    }

    func fail(_ error: RPCError) {
        controller?.finish(error: error)
        end(error)
    }

    private func end(_ error: RPCError?) {
        precondition(isUnderWay, "a call ends once")
        isUnderWay = false
        slot = -1
        if let error { self.error = error }
        // Once resumed it is the caller's.
        let waiting = unsafe waiting.take()
        failed.store(error != nil, ordering: .releasing)
        unsafe waiting?.resume()
    }
}

/// What a caller asks for, beside the request.
struct CallParameters: Sendable {
    var metadata = RPCMetadata()
    var deadline: MonotonicTime?
    /// Whether it waits while the server can't be reached; nil: as the channel is configured.
    var waitsForReady: Bool?
    /// Whether it may be sent again after it may have been processed.
    var isIdempotent = false
    /// What its id is to be.
    var idChoice = CallIDChoice.fresh

    /// Back to what most calls ask for; the deadline stays. Writes only what differs.
    mutating func reset() {
        if !metadata.isEmpty { metadata = [:] }
        if waitsForReady != nil { waitsForReady = nil }
        if isIdempotent { isIdempotent = false }
        if case .fresh = idChoice { return }
        idChoice = .fresh
    }
}

/// What id a call is to have.
enum CallIDChoice: Sendable {
    /// One that nobody else has.
    case fresh
    /// The caller's own.
    case chosen(CallID)
    /// That of the call whose handler makes this one, as long as it names one call only.
    case inherited(CallID)
}

import RocketBase
import RocketSystem

/// A call on its way, with its types erased. Whoever takes it out of the pending table ends it.
protocol OutgoingCall: AnyObject, Sendable {
    var methodName: [UInt8] { get }
    var metadata: RPCMetadata { get }
    var deadline: MonotonicTime? { get }
    /// Whether it waits while the server can't be reached; nil: as the channel is configured.
    var waitsForReady: Bool? { get }
    /// Whether it may be sent again after it may have been processed.
    var isIdempotent: Bool { get }
    /// What its id is to be.
    var idChoice: CallIDChoice { get }
    /// Its id on the wire, once the channel has it. Bound to the channel's loop.
    var id: CallID? { get set }

    /// Whether the caller has given up; from then on nothing needs to be sent.
    var isCancelled: Bool { get }

    /// Appends the serialized request.
    func encode(into buffer: inout ByteBuffer) throws(RPCError)
    /// Goes out on a connection between these ends.
    func begins(_ id: CallID, between peers: ConnectionPeers)
    /// The reply arrived, with its err_info.
    func succeed(_ payload: RawSpan, info: RawSpan)
    func fail(_ error: RPCError)
}

/// What id a call is to have.
enum CallIDChoice {
    /// One that nobody else has.
    case fresh
    /// The caller's own.
    case chosen(CallID)
    /// That of the call whose handler makes this one, as long as it names one call only.
    case inherited(CallID)
}

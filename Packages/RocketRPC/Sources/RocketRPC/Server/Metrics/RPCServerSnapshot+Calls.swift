public import RocketBase
public import RocketSystem
public import RocketTCP

extension RPCServerSnapshot {
    /// One open connection of a server.
    public struct Connection: Hashable, Sendable {
        /// Its number among the connections of this server, from 1 on, in the order of their opening.
        public var id: UInt64
        /// The peer's address.
        public var peer: NetAddress
        /// What the connection has proved, as text: a certificate's subject, or user, group and process
        /// of a Unix socket; empty: nothing. At most 256 characters.
        public var identity = ""
        /// The protocol: `TinyPB`, or the name of another wire such as `gRPC`; empty: it is not known yet.
        public var wire = "TinyPB"
        /// Whether it is encrypted.
        public var isEncrypted = false
        /// What it waits for, or does.
        public var phase = Phase.open

        /// The phases of a connection.
        public enum Phase: String, Hashable, Sendable, CaseIterable {
            /// Its TLS handshake has not ended.
            case handshake
            /// Its peer has sent nothing, so that it is not known which protocol it speaks.
            case silent
            /// It takes calls.
            case open
            /// It takes no more calls: the server drains, or the connection is too old.
            case draining
        }

        /// The name of its loop.
        public var loop = ""
        /// How long it has been open.
        public var age = Duration.zero
        /// How long neither side has sent anything.
        public var idle = Duration.zero
        /// Calls whose handlers run or wait now.
        public var callsInFlight = 0
        /// Streams that are open now.
        public var openStreams = 0
        /// Bytes that the server holds for the peer to read: output that the kernel has not taken, and
        /// messages of streams that the peer has given no credit for.
        public var unsentBytes = 0
        /// Bytes that the kernel holds for the peer: sent, and not acknowledged by its machine, which
        /// itself takes some MiB for a peer that does not read.
        public var kernelBytes = 0
        /// For how long bytes have waited for the peer and it has taken none, as far as snapshots have
        /// seen: zero in the first one that sees it.
        public var unreadFor = Duration.zero
        /// Bytes that have been received, as they were on the wire.
        public var receivedBytes: UInt64 = 0
        /// Bytes that have been sent, as they were on the wire.
        public var sentBytes: UInt64 = 0

        /// Creates a connection without traffic.
        public init(id: UInt64, peer: NetAddress) {
            self.id = id
            self.peer = peer
        }
    }

    /// One call that was kept, with what it spent its time on.
    ///
    /// Each loop keeps the last 64 of each reason: one call of
    /// `RPCServerConfiguration.callsPerSample`, at most 10 a second and at least one a second if there
    /// are calls, and of failed, cancelled and slow ones the first 10 of each second. All calls whose
    /// `traceparent` has the flag `sampled` are kept besides, the last 256 of them, whatever their
    /// reason.
    public struct SampledCall: Hashable, Sendable {
        /// Why a call was kept.
        public enum Reason: String, Hashable, Sendable, CaseIterable {
            /// It took `RPCServerConfiguration.slowCall` or longer. Streams are never slow: they last as
            /// long as their two sides like.
            case slow
            /// It ended with an error. A slow one counts as slow.
            case failed
            /// It was cancelled, or its connection was lost. A slow one counts as slow.
            case cancelled
            /// It was one of many.
            case sampled
            /// Its caller records its trace, and none of the other reasons applies.
            case traced
        }

        /// When it ended.
        public var time: WallTime
        /// The full name of its method, or `Method.unknownName`.
        public var method: String
        /// The peer's address.
        public var peer: NetAddress
        /// What its connection or its token has proved, as `Connection.identity`; a token as
        /// `token:SUBJECT`.
        public var identity = ""
        /// As `Connection.wire`.
        public var wire = "TinyPB"
        /// As `Connection.id`.
        public var connection: UInt64 = 0
        /// How it ended; 0 is success.
        public var code = RPCErrorCode(rawValue: 0)
        /// Why it was kept.
        public var reason: Reason
        /// From its turn on until its reply was written, as `Method.latency` has it.
        public var duration = Duration.zero
        /// How long it waited before, since it was read.
        public var queue = Duration.zero
        /// How long its request was decoded; nil, as the next ones: not measured, since it was not known
        /// at its beginning that it would be kept.
        public var decode: Duration?
        /// How long its handler ran and waited for anything but the peer. Where `decode` is nil, decoding
        /// is included.
        public var handler: Duration?
        /// How long the call waited for a peer that reads slowly: its handler to write to a stream, or as
        /// `RPCController.waitedForPeer` has said, and its response to be written.
        public var outputWait: Duration?
        /// How long its response was encoded.
        public var encode: Duration?
        /// How long until the reply was passed to the kernel, after `duration`; while `awaitsFlush`, how
        /// long it has waited. nil: it could not be sent.
        public var flush: Duration?
        /// Whether its reply still waits to be passed to the kernel: the peer reads slowly.
        public var awaitsFlush = false
        /// Bytes of its request; of a stream of requests, those of its messages.
        public var requestBytes = 0
        /// Bytes of its response; of a stream of responses, those of its messages.
        public var responseBytes = 0
        /// The text of its error, at most 256 bytes: it may contain any characters; empty: it has none.
        public var error = ""
        /// The trace of its `traceparent`: 32 hexadecimal digits; nil: it has none.
        public var traceID: String?

        /// Creates a call that took no time.
        public init(time: WallTime, method: String, peer: NetAddress, reason: Reason) {
            self.time = time
            self.method = method
            self.peer = peer
            self.reason = reason
        }
    }
}

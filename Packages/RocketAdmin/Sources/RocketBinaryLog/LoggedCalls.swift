import FoundationEssentials
import RocketSystem
import SwiftProtobuf

/// Puts the entries of a log together into unary calls. A value: entries in, calls out.
public struct LoggedCalls: Sendable {
    /// Calls that have ended, in the order of their ends.
    public private(set) var calls: [LoggedCall] = []
    /// Calls with more than one request or reply: streams, which are left out.
    public private(set) var streams = 0
    /// Calls that were cancelled, which have no reply.
    public private(set) var cancelled = 0
    /// A client and a server may both log a call, with the same number.
    private struct Key: Hashable {
        let id: UInt64
        let logger: Grpc_Binarylog_V1_GrpcLogEntry.Logger
    }

    private struct Open {
        var call: LoggedCall
        var requests = 0
        var responses = 0
    }

    private var open: [Key: Open] = [:]

    /// No calls.
    public init() {}

    /// The calls that have begun and not ended.
    public var unfinished: Int { open.count }

    /// Adds an entry. What does not belong to a call that has begun is ignored.
    public mutating func add(_ entry: Grpc_Binarylog_V1_GrpcLogEntry) {
        let key = Key(id: entry.callID, logger: entry.logger)
        if entry.type == .clientHeader {
            open[key] = Open(call: LoggedCall(entry))
            return
        }
        guard var state = open[key] else { return }
        switch entry.type {
        case .clientMessage:
            state.requests += 1
            if state.requests == 1 { state.call.request = entry.loggedMessage }
        case .serverHeader: state.call.replyMetadata = entry.serverHeader.metadata.logged
        case .serverMessage:
            state.responses += 1
            if state.responses == 1 { state.call.response = entry.loggedMessage }
        case .serverTrailer:
            open[key] = nil
            return ended(state, entry)
        case .cancel:
            open[key] = nil
            cancelled += 1
            return
        default: break
        }
        open[key] = state
    }

    private mutating func ended(_ state: Open, _ entry: Grpc_Binarylog_V1_GrpcLogEntry) {
        guard state.requests == 1, state.responses <= 1,
            state.responses == 1 || entry.trailer.statusCode != 0
        else {
            streams += 1
            return
        }
        var call = state.call
        call.trailingMetadata = entry.trailer.metadata.logged
        call.status = Int(entry.trailer.statusCode)
        call.statusMessage = entry.trailer.statusMessage
        call.endedAt = entry.time
        calls.append(call)
    }
}

extension LoggedCall {
    fileprivate init(_ entry: Grpc_Binarylog_V1_GrpcLogEntry) {
        let header = entry.clientHeader
        let path =
            header.methodName.hasPrefix("/")
            ? header.methodName.dropFirst() : header.methodName[...]
        self.init(
            id: entry.callID, method: String(path.map { $0 == "/" ? "." : $0 }))
        peer = entry.hasPeer ? entry.peer.logged : nil
        beganAt = entry.time
        endedAt = beganAt
        for each in header.metadata.logged {
            if each.key == Self.maskedKey {
                let text = String(decoding: each.value, as: UTF8.self)
                if case .success(let paths) = FieldPath.list(text) { masked += paths }
            } else {
                metadata.append(each)
            }
        }
        if header.hasTimeout {
            timeout =
                .seconds(header.timeout.seconds) + .nanoseconds(Int64(header.timeout.nanos))
        }
    }
}

extension Grpc_Binarylog_V1_GrpcLogEntry {
    fileprivate var loggedMessage: LoggedCall.Message {
        var message = LoggedCall.Message(
            bytes: Array(self.message.data), length: Int(self.message.length))
        message.isWhole = !payloadTruncated && message.bytes.count == message.length
        return message
    }

    fileprivate var time: WallTime {
        let (product, overflow) = timestamp.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return WallTime(nanoseconds: overflow ? 0 : product &+ Int64(timestamp.nanos))
    }
}

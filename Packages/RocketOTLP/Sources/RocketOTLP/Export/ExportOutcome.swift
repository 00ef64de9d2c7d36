import RocketBase
import RocketRPC
import SwiftProtobuf

extension ExportSchedule.Outcome {
    /// How an export has failed, by OTLP's rules for gRPC.
    init(_ error: RPCError) {
        let wanted = error.details(of: Google_Rpc_RetryInfo.self).first.map(\.retryDelay.duration)
        self =
            switch error.code {
            // The connection, and what a proxy says in place of a collector.
            case .failedConnect, .peerClosed, .failedGetReply, .unavailable, .cancelled,
                .deadlineExceeded, .aborted, .outOfRange, .dataLoss:
                .failed(retryAfter: wanted)
            // Only if the collector says that it can recover.
            case .resourceExhausted: wanted == nil ? .refused : .failed(retryAfter: wanted)
            default: .refused
            }
    }
}

extension Google_Protobuf_Duration {
    /// At least 0; a longer one than a day is a day.
    fileprivate var duration: Duration {
        let seconds = min(max(0, self.seconds), 86_400)
        return .seconds(seconds) + .nanoseconds(Int64(max(0, min(nanos, 999_999_999))))
    }
}

import RocketBase

/// What the code of RST_STREAM means for a call: the table of gRPC's PROTOCOL-HTTP2, "Errors".
enum ResetCode {
    static let refusedStream: UInt32 = 7
    static let cancel: UInt32 = 8

    /// The code of a call whose server has reset the stream.
    ///
    /// - Returns: `unavailable` only where HTTP/2 says that nothing was processed.
    static func code(_ reset: UInt32) -> RPCErrorCode {
        switch reset {
        // REFUSED_STREAM.
        case 7: .unavailable
        // CANCEL.
        case 8: .cancelled
        // ENHANCE_YOUR_CALM.
        case 11: .resourceExhausted
        // INADEQUATE_SECURITY.
        case 12: .permissionDenied
        default: .internal
        }
    }

    static func name(_ reset: UInt32) -> String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL",
            "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY",
            "HTTP_1_1_REQUIRED",
        ]
        return reset < UInt32(names.count) ? names[Int(reset)] : "\(reset)"
    }
}

import RocketRPC

/// Limits that let the measured payloads through, and are the defaults otherwise.
enum BenchLimits {
    /// A frame with that payload fits.
    static func codec(payloadBytes: Int?) -> TinyPBCodec {
        let codec = TinyPBCodec()
        guard let payloadBytes else { return codec }
        return TinyPBCodec(maxFrameBytes: max(codec.maxFrameBytes, payloadBytes + 4096))
    }

    /// Many frames of that payload may wait, and idle connections are left alone.
    static func connection(payloadBytes: Int?) -> TCPConnectionConfiguration {
        var connection = TCPConnectionConfiguration()
        connection.firstBytesTimeout = nil
        guard let payloadBytes, payloadBytes > 1024 else { return connection }
        connection.inputLimitBytes = max(connection.inputLimitBytes, payloadBytes * 64)
        connection.outputLimitBytes = max(connection.outputLimitBytes, payloadBytes * 128)
        return connection
    }
}

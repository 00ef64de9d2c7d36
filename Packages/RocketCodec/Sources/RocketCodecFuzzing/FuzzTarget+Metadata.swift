import RocketBase
import RocketCodec

extension FuzzTarget {
    static func decodeMetadata(_ bytes: [UInt8]) throws(FuzzFinding) {
        // SAFETY: the spans are of an array that lives and does not change to the end of this function.
        let (isBlock, metadata, timeout) = unsafe (
            MetadataBlock.isBlock(bytes.span.bytes), MetadataBlock.read(bytes.span.bytes),
            MetadataBlock.timeoutMilliseconds(bytes.span.bytes)
        )
        try require(isBlock == (metadata != nil), "read and isBlock differ")
        guard let metadata else { return try require(timeout == nil, "a timeout without a block") }
        let keys = metadata.entries.map(\.key)
        try require(keys.allSatisfy(Metadata.isValid), "invalid key: \(keys)")
        // SAFETY: as above.
        if let reply = unsafe MetadataBlock.readReply(bytes.span.bytes) {
            let block = try write(reply.metadata, trailing: reply.trailing)
            // SAFETY: as above.
            let again = unsafe MetadataBlock.readReply(block.span.bytes)
            try require(
                again?.metadata == reply.metadata && again?.trailing == reply.trailing
                    || block.isEmpty && reply.metadata.isEmpty && reply.trailing.isEmpty,
                "\(reply) decodes to \(again as Any)")
        }
        for entry in metadata.entries {
            // Base64 has one form with padding, and one without.
            guard let plain = entry.bytes else { continue }
            var binary = Metadata()
            binary[bytes: entry.key] = plain
            try require(
                entry.value.hasPrefix(binary[entry.key] ?? "-"), "base64 differs: \(entry)")
        }
        let listed = metadata["timeout-ms"].flatMap { text in
            text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
        }
        try require(
            timeout == listed, "timeout is \(timeout as Any), metadata has \(listed as Any)")

        let limit = unsafe MetadataBlock.announcedLimit(bytes.span.bytes)
        try require(limit.map { (511...8192).contains($0) } ?? true, "limit \(limit as Any)")

        let block = try write(metadata)
        // SAFETY: as above.
        let again = unsafe MetadataBlock.read(block.span.bytes) ?? [:]
        try require(again == metadata, "\(metadata) decodes to \(again)")
        if let timeout {
            let timed = try write(metadata, timeout)
            // SAFETY: as above.
            let read = unsafe MetadataBlock.timeoutMilliseconds(timed.span.bytes)
            try require(read == timeout, "\(timeout) ms decodes to \(read as Any)")
        }
    }

    private static func write(
        _ metadata: Metadata, _ timeout: Int64? = nil, trailing: Metadata? = nil
    ) throws(FuzzFinding) -> [UInt8] {
        var buffer = ByteBuffer()
        do {
            try MetadataBlock.write(
                metadata, trailing: trailing, timeoutMilliseconds: timeout, to: &buffer,
                limitBytes: .max)
        } catch {
            throw FuzzFinding("without a limit: \(error)")
        }
        return buffer.copyBytes()
    }
}

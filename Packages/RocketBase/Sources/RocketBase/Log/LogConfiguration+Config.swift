extension LogConfiguration {
    /// What the configuration's `log` section asks for. Its backlog is spread over the buffers,
    /// down to the next power of two each.
    public init(_ section: LogConfig) {
        self.init()
        rpcLevel = section.effectiveRPCLevel
        appLevel = section.effectiveAppLevel
        outputs = Set(section.sinks.compactMap { Output(rawValue: $0.rawValue) })
        file.folder = section.filePath
        file.name = section.fileName
        file.maxBytes = section.maxFileSizeBytes
        file.maxFiles = section.keepFiles
        file.maxTotalBytes = section.keepBytes
        syncInterval = section.syncInterval
        let share = section.backlogBytes / bufferCount
        bufferBytes = 64 * 1024
        while bufferBytes * 2 <= share { bufferBytes *= 2 }
        maxLineBytes = min(maxLineBytes, bufferBytes / 8)
    }
}

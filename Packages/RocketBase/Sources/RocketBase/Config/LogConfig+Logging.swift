extension LogConfiguration {
    /// As `root/log` of a configuration says; what that can't say keeps its default.
    public init(_ log: LogConfig) {
        self.init()
        rpcLevel = log.effectiveRPCLevel
        appLevel = log.effectiveAppLevel
        outputs = Set(log.sinks)
        file.folder = log.filePath
        file.name = log.fileName
        file.maxBytes = log.maxFileSizeBytes
        file.maxFiles = log.keepFiles
        file.maxTotalBytes = log.keepBytes
        syncInterval = log.syncInterval
        bufferBytes = log.backlogBytes / bufferCount
    }
}

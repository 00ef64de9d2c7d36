import RocketReactor
import RocketTCP
public import SwiftProtobuf

extension RPCServer {
    /// Records calls from now on, one recording at a time. Any thread.
    ///
    /// - Returns: what is recorded; nil: another recording runs, or the server has neither
    ///   `collectsMetrics` nor anything else that measures calls.
    @_spi(Recording) public func startRecording(_ settings: RPCRecordingSettings)
        -> RPCCallRecorder?
    {
        let recorder = RPCCallRecorder(settings, time: time)
        guard let metrics, metrics.begin(recorder) else { return nil }
        onEachLoop { $0.record(by: recorder) }
        return recorder
    }

    /// Ends a recording. What was recorded can still be taken. Any thread.
    @_spi(Recording) public func stopRecording(_ recorder: RPCCallRecorder) {
        recorder.stop()
        metrics?.end(recorder)
        onEachLoop { $0.stopRecording(by: recorder) }
    }

    private func onEachLoop(_ body: @escaping @Sendable (LoopMetrics) -> Void) {
        for loop in runtime.loops {
            loop.execute { [schedulers] reactor in
                if let metrics = schedulers.existingScheduler(of: reactor.loop)?.metrics {
                    body(metrics)
                }
            }
        }
    }

    /// The .proto files of the services, imported files first; those without descriptors are missing.
    ///
    /// - Throws: `RPCError` INTERNAL for descriptors that can't be read.
    @_spi(Recording) public func fileDescriptors() throws -> [Google_Protobuf_FileDescriptorProto] {
        try dispatcher.descriptors.files()
    }

    /// The types of the messages of all methods.
    @_spi(Recording) public var messageTypes: Set<String> {
        Set(dispatcher.table.entries.flatMap { [$0.requestName, $0.responseName] })
    }

    /// The full names of all methods.
    @_spi(Recording) public var methodNames: [String] { dispatcher.table.entries.map(\.fullName) }
}

import CRocketLog
import RocketSystem

/// Registers the buffers of one writer with the crash handlers (rocket_crash.h) as long as it
/// lives.
@safe
final class LogCrashFlush {
    // SAFETY: created in init, destroyed in deinit after it was unregistered from the
    // handlers.
    private let target: UnsafeMutablePointer<rocket_crash_target>
    private let shards: [LogShard]

    init(shards: [LogShard]) throws(SystemError) {
        self.shards = shards
        guard let target = unsafe rocket_crash_target_create(UInt32(shards.count)) else {
            throw SystemError("crash target", .outOfMemory)
        }
        unsafe self.target = target
        for (index, shard) in shards.enumerated() {
            unsafe rocket_crash_set_ring(target, UInt32(index), shard.ring)
        }
        let error = unsafe rocket_crash_register(target)
        guard error == 0 else {
            unsafe rocket_crash_target_destroy(target)
            throw SystemError("more than 64 log systems", Errno(rawValue: error))
        }
    }

    deinit {
        unsafe rocket_crash_unregister(target)
        unsafe rocket_crash_target_destroy(target)
    }

    func beginBatch() {
        unsafe target.pointee.writer_thread_id = CurrentThread.id
        unsafe rocket_crash_begin_batch(target)
    }

    func endBatch() { unsafe rocket_crash_end_batch(target) }

    /// Records the current outputs: up to two per stream, or standard error when no sink has one.
    func update(sinks: [any LogSink], utcOffsetSeconds: Int32) {
        unsafe target.pointee.utc_offset_seconds = utcOffsetSeconds
        for stream in LogStream.allCases {
            var outputs = sinks.compactMap { $0.crashOutput(for: stream) }
            if outputs.isEmpty, !sinks.isEmpty { outputs = [(StandardStream.error, .priority)] }
            for slot in 0..<2 {
                let output = slot < outputs.count ? outputs[slot] : (-1, .plain)
                unsafe rocket_crash_set_output(
                    target, UInt32(stream.rawValue), UInt32(slot), output.0,
                    rocket_log_style(rawValue: output.1.rawValue))
            }
        }
    }
}

import CRocketSystem

/// State that each thread keeps for itself, so that logging and message ids need no lock. In the
/// child process of a fork(2) it is reset.
public enum CurrentThread {
    /// The kernel's id of the calling thread (gettid(2)), cached after the first call.
    public static var id: Int32 {
        // SAFETY: the state belongs to the calling thread and lives as long as it; so below.
        unsafe rocket_thread_state().pointee.thread_id
    }

    /// Lets other threads go first: the higher the nice value (setpriority(2)), the less of a busy
    /// processor the calling thread gets, and the sooner another one that wakes up gets it.
    ///
    /// - Parameter nice: 0 to 19; lower values than before need a privilege.
    /// - Throws: `SystemError` (EACCES: it is lower than before).
    public static func setNice(_ nice: Int) throws(SystemError) {
        let error = rocket_thread_set_nice(Int32(clamping: nice))
        if error != 0 { throw SystemError("setpriority", Errno(rawValue: error)) }
    }

    /// The nice value of the calling thread.
    public static var nice: Int { Int(rocket_thread_nice()) }

    /// Runs `body` with another value of `id` in the calling thread: for tests of output that
    /// contains thread ids.
    public static func withID<Result>(_ id: Int32, _ body: () throws -> Result) rethrows -> Result {
        let own = self.id
        // SAFETY: as above.
        unsafe rocket_thread_state().pointee.thread_id = id
        defer { unsafe rocket_thread_state().pointee.thread_id = own }
        return try body()
    }

    /// The number of the calling thread: 0, 1, 2 …, in the order in which threads first accessed
    /// this type.
    public static var ordinal: Int {
        unsafe Int(truncatingIfNeeded: rocket_thread_state().pointee.ordinal)
    }

    /// The two words of the calling thread's message id counter; nil until they are set.
    public static var counter: (high: UInt64, low: UInt64)? {
        get {
            let state = unsafe rocket_thread_state()
            guard unsafe state.pointee.id_seeded != 0 else { return nil }
            return unsafe (state.pointee.id_high, state.pointee.id_low)
        }
        set {
            let state = unsafe rocket_thread_state()
            unsafe state.pointee.id_seeded = newValue == nil ? 0 : 1
            unsafe state.pointee.id_high = newValue?.high ?? 0
            unsafe state.pointee.id_low = newValue?.low ?? 0
        }
    }
}

/// Random numbers of the kernel.
public enum SystemRandom {
    /// Returns two words from getrandom(2).
    ///
    /// - Throws: `SystemError` with ENOSYS on kernels before 3.17.
    public static func words() throws(SystemError) -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        let error = unsafe withUnsafeMutablePointer(to: &words) {
            // SAFETY: the function fills two words, which is the layout of the tuple.
            unsafe $0.withMemoryRebound(to: UInt64.self, capacity: 2) {
                unsafe rocket_random_words($0)
            }
        }
        guard error == 0 else { throw SystemError("getrandom", Errno(rawValue: error)) }
        return words
    }
}

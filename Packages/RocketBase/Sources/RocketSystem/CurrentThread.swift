import CRocketSystem

/// What the calling thread keeps for itself, so that logging and ids need no lock. In the child of
/// a fork all of it starts afresh.
public enum CurrentThread {
    /// The kernel's id of the thread (gettid(2)), asked for once.
    public static var id: Int32 {
        // SAFETY: the state is the calling thread's own and lives as long as it; so below.
        unsafe rocket_thread_state().pointee.thread_id
    }

    /// Gives the calling thread another `id` for the time of `body`: for tests of what shows ids.
    public static func withID<Result>(_ id: Int32, _ body: () throws -> Result) rethrows -> Result {
        let own = self.id
        // SAFETY: as above.
        unsafe rocket_thread_state().pointee.thread_id = id
        defer { unsafe rocket_thread_state().pointee.thread_id = own }
        return try body()
    }

    /// 0, 1, 2 … in the order in which threads first asked for anything here.
    public static var ordinal: Int {
        unsafe Int(truncatingIfNeeded: rocket_thread_state().pointee.lane)
    }

    /// Two words for a counter of the thread's own; nil until they are set.
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

/// The kernel's random numbers.
public enum SystemRandom {
    /// Two words from getrandom(2).
    ///
    /// - Throws: ENOSYS on kernels before 3.17.
    public static func words() throws(SystemError) -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        let error = unsafe withUnsafeMutablePointer(to: &words) {
            // SAFETY: the function fills two words, which the tuple is.
            unsafe $0.withMemoryRebound(to: UInt64.self, capacity: 2) {
                unsafe rocket_random_words($0)
            }
        }
        guard error == 0 else { throw SystemError("getrandom", Errno(rawValue: error)) }
        return words
    }
}

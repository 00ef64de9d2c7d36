import CSQLite

extension Database {
    /// Writes the bytes of the write-ahead log once more, and brings them to the disk. To be called in
    /// a transaction that writes, which keeps others from changing them.
    ///
    /// A process that was killed may have left bytes that it had not synced. If it had failed to sync
    /// them, the system regards them as written, and a sync alone would write nothing.
    public func rewriteLog() throws(DatabaseError) {
        var log: UnsafeMutablePointer<sqlite3_file>?
        // SAFETY: SQLite stores a pointer to its file of the log, which stays open with the
        // connection; a file that is not open has no methods.
        try check(unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_JOURNAL_POINTER, &log))
        guard let log = unsafe log, let methods = unsafe log.pointee.pMethods else { return }
        var size: Int64 = 0
        try check(unsafe methods.pointee.xFileSize(log, &size))
        // The largest page of SQLite: its files take no more than 128 KiB at once.
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var offset: Int64 = 0
        while offset < size {
            let count = Int32(min(Int64(chunk.count), size - offset))
            // SAFETY: the buffer has `count` bytes or more, and is used during the calls only.
            try check(
                unsafe chunk.withUnsafeMutableBytes { bytes in
                    let code = unsafe methods.pointee.xRead(log, bytes.baseAddress, count, offset)
                    if code != SQLITE_OK { return code }
                    return unsafe methods.pointee.xWrite(log, bytes.baseAddress, count, offset)
                })
            offset += Int64(count)
        }
        if size > 0 { try check(unsafe methods.pointee.xSync(log, SQLITE_SYNC_NORMAL)) }
    }

    private func check(_ code: Int32) throws(DatabaseError) {
        if code == SQLITE_OK { return }
        throw DatabaseError(
            resultCode: ResultCode(rawValue: code), message: "the log can't be brought to the disk")
    }
}

'use strict';
// steamworks-ffi-node: out-parameters, alloc, decode and encode, structs as results, a table of registered functions.
const assert = require('node:assert/strict');
const koffi = require('koffi');
const internal = (name) => require(`steamworks-ffi-node/dist/internal/${name}.js`);
const types = internal('SteamLibraryLoader');
const { SteamAchievementManager } = internal('SteamAchievementManager');
const { SteamStatsManager } = internal('SteamStatsManager');

console.log = () => {};
const loader = new types.SteamLibraryLoader();
loader.getSteamLibraryPath = () => process.env.TEST_LIBRARY;
loader.load();
const stats = loader.SteamAPI_SteamUserStats_v013();
const core = { isInitialized: () => true, isReady: () => true, getUserStatsInterface: () => stats };
core.runCallbacks = () => loader.SteamAPI_RunCallbacks();

(async () => {
  const achievements = new SteamAchievementManager(loader, core, { poll: async () => null });
  assert.deepEqual(
    (await achievements.getAllAchievements()).map(({ apiName, displayName, unlocked }) => [
      apiName,
      displayName,
      unlocked,
    ]),
    ['ONE', 'TWO', 'THREE'].map((name) => [name, 'a name', false]),
  );
  assert.ok(await achievements.unlockAchievement('TWO'));
  assert.ok(await achievements.isAchievementUnlocked('TWO'));
  assert.ok(await achievements.clearAchievement('TWO'));
  assert.equal(await achievements.isAchievementUnlocked('TWO'), false);
  const statistics = new SteamStatsManager(loader, core, {}, {});
  assert.equal((await statistics.getStatInt('x')).value, 7);
  assert.ok(await statistics.setStatInt('x', 9));
  assert.equal((await statistics.getStatInt('x')).value, 9);
  assert.equal((await statistics.getStatFloat('x')).value, 1.5);

  // A callback object of C++, as the package lays it out.
  const seen = [];
  const note = (self, data) => void seen.push([...koffi.decode(data, koffi.array('uint8', 3))]);
  const run = koffi.register(note, types.FnCallbackRunPtr);
  const size = koffi.register(() => 24, types.FnGetCallbackSizeBytesPtr);
  const table = koffi.alloc('void*', 3);
  koffi.encode(table, koffi.array('void*', 3), [run, run, size]);
  const object = koffi.alloc(types.CCallbackBase, 1);
  const fields = { vfptr: table, m_nCallbackFlags: 0, _pad: [0, 0, 0], m_iCallback: 0 };
  koffi.encode(object, types.CCallbackBase, fields);
  loader.SteamAPI_RegisterCallback(object, 1221);
  loader.SteamAPI_RunCallbacks();
  const { m_nCallbackFlags: flags, m_iCallback: number } = koffi.decode(object, types.CCallbackBase);
  assert.deepEqual([seen, flags, number], [[[1, 2, 3]], 1, 1221]);
  loader.SteamAPI_UnregisterCallback(object);
  koffi.unregister(run);
  koffi.unregister(size);

  const library = loader.steamLib;
  assert.deepEqual(library.func('digital', types.InputDigitalActionData_t, [])(), { bState: true, bActive: false });
  assert.deepEqual(library.func('analog', types.InputAnalogActionData_t, [])(), {
    eMode: 3,
    x: 0.5,
    y: -0.5,
    bActive: true,
  });
  loader.unload();
})();

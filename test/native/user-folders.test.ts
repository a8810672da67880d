import { homedir } from 'node:os'
import { expect, test } from 'vitest'
import { userFolders } from '../../native/user-folders.ts'

test('Linux: XDG base directories; what is not absolute is ignored', () => {
  expect(userFolders({ HOME: '/h' }, 'linux')).toEqual({ home: '/h', configuration: '/h/.config', state: '/h/.local/state' })
  expect(userFolders({ HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', APPDATA: 'C:\\a' }, 'linux')).toEqual({
    home: '/h',
    configuration: '/c',
    state: '/s',
  })
  expect(userFolders({ HOME: 'h', XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: '' }, 'linux').configuration).toBe(`${homedir()}/.config`)
})

test('Windows: the folders of the user’s profile; what a Unix shell has set is ignored', () => {
  const variables = { USERPROFILE: 'C:\\Users\\ann', HOME: '/c/Users/ann', XDG_CONFIG_HOME: '/c/x' }
  expect(userFolders(variables, 'win32')).toEqual({
    home: 'C:\\Users\\ann',
    configuration: 'C:\\Users\\ann\\AppData\\Roaming',
    state: 'C:\\Users\\ann\\AppData\\Local',
  })
  expect(userFolders({ ...variables, APPDATA: 'R:\\ann', LOCALAPPDATA: '\\local' }, 'win32')).toMatchObject({
    configuration: 'R:\\ann',
    state: 'C:\\Users\\ann\\AppData\\Local',
  })
})

export { default } from '../../../topologies/quest-minute.js'
